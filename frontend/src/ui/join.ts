/** Before joining: who hosts, the hub's fingerprint, the rules, a name, and a key that is made here. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import { hubOf } from "../hub/joining";
import { isOpenLine } from "../protocol/invites";
import { fingerprint, hasNativeKeys, type Signer } from "../protocol/keys";
import { checkHandle, clean, MAX_HANDLE } from "../protocol/text";
import { HubViolation, RecordViolation } from "../protocol/violations";
import type { Database } from "../storage/database";
import { makeKey, MIN_PASSPHRASE } from "../storage/keystore";
import { count, distance, errorText, texts } from "../texts";
import { facts, factStyles } from "./facts";
import { icon } from "./icons";
import { base } from "./styles";
import { newMembership, type Found } from "./welcome";

/** Somebody who has joined: what is kept, and the key that is open. */
export interface Joined {
  neighborhood: string;
  signer: Signer;
}

@customElement("rw-join")
export class Join extends LitElement {
  static override styles = [
    base,
    factStyles,
    css`
      form {
        display: grid;
        gap: 1.25rem;
      }
      .print {
        font-size: 1.25rem;
        padding: 0.75rem 1rem;
        border-radius: 12px;
        background: var(--chip);
        word-spacing: 0.35em;
      }
      .rules {
        max-height: 18rem;
        overflow-y: auto;
        padding: 0.75rem 1rem;
        border: 1px solid var(--line);
        border-radius: 12px;
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.75rem 1rem;
        border-radius: 12px;
      }
    `,
  ];

  @property({ attribute: false }) found!: Found;
  @property({ attribute: false }) database!: Database;
  @state() private busy = false;
  @state() private error = "";
  @state() private native = true;

  override connectedCallback(): void {
    super.connectedCallback();
    void hasNativeKeys().then((native) => (this.native = native));
  }

  override render(): TemplateResult {
    const { look, joiner } = this.found;
    const { url, hubKey, certificate } = joiner.invite;
    const t = texts.join;
    return html`<form class="card" @submit=${this.submitted}>
      <div>
        <p class="muted">${t.title}</p>
        <h1 tabindex="-1" class="said">${look.name}</h1>
      </div>
      ${facts([
        [t.host, look.hostHandle],
        [t.address, url],
        [t.members, count(look.members)],
        [t.radius, t.radiusValue(distance(look.radius_m))],
        [t.moderation, look.mode === "before" ? t.before : t.after],
        [t.keeps, t.keepsValue(look.post_days, look.media_days)],
      ])}
      <section class="field" aria-labelledby="print">
        <h2 id="print">${t.fingerprint}</h2>
        <p class="print digits" dir="ltr">${fingerprint(hubKey)}</p>
        <p class="small muted">${t.fingerprintHint}</p>
      </section>
      <section class="field" aria-labelledby="rules">
        <h2 id="rules">${t.rules}</h2>
        <p class="said rules" dir="auto" tabindex="0">${look.rules || t.noRules}</p>
      </section>
      <label class="choice"><input type="checkbox" name="agree" required />${t.agree}</label>
      ${certificate.replaces
        ? html`<p class="note">${icon("warning")}<span>${t.replaces}</span></p>`
        : html`<div class="field">
            <label for="handle">${t.handle}</label>
            <input id="handle" name="handle" type="text" maxlength=${2 * MAX_HANDLE} autocomplete="nickname" dir="auto" aria-describedby="handle-hint" required />
            <p id="handle-hint" class="small muted">${t.handleHint}</p>
          </div>`}
      ${this.native
        ? html`<p class="small muted">${t.keyNative}</p>`
        : html`<p class="note">${icon("warning")}<span>${t.keySealed}</span></p>
            <div class="field">
              <label for="passphrase">${t.passphrase}</label>
              <input id="passphrase" name="passphrase" type="password" minlength=${MIN_PASSPHRASE} autocomplete="new-password" required />
              <p class="small muted">${t.passphraseHint(MIN_PASSPHRASE)}</p>
            </div>`}
      ${isOpenLine(url) ? html`<p class="note bad">${icon("warning")}<span>${t.openLine}</span></p>` : nothing}
      <rw-own-page></rw-own-page>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <div class="row">
        <button class="primary" ?disabled=${this.busy}>${this.busy ? t.joining : t.join}</button>
        <button type="button" class="quiet" @click=${this.cancel}>${t.cancel}</button>
      </div>
    </form>`;
  }

  private readonly cancel = (): void => {
    this.dispatchEvent(new CustomEvent("cancelled"));
  };

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const handle = clean(text(form, "handle"), MAX_HANDLE, false);
    this.busy = true;
    this.error = "";
    try {
      if (!this.found.joiner.invite.certificate.replaces) checkHandle(handle);
      await this.join(handle, text(form, "passphrase"));
    } catch (error) {
      if (error instanceof RecordViolation) this.error = texts.join.handleBad;
      else if (error instanceof CallError) this.error = errorText(error.code);
      else if (error instanceof HubViolation) this.error = texts.trouble.codes[error.code] ?? texts.trouble.other;
      else throw error;
    } finally {
      this.busy = false;
    }
  };

  /** The key and the signed record are kept before the hub hears of them: an invite is good for one key. */
  private async join(handle: string, passphrase: string): Promise<void> {
    const { joiner, look, link } = this.found;
    const hub = hubOf(joiner.invite);
    const [signer, key] = await makeKey(() => Promise.resolve(passphrase));
    const record = await joiner.sign(signer, handle, look.head);
    const joining = { wire: record.wire, link };
    const membership = newMembership(hub.url, hub.neighborhood, hub.hubKey, key, joining, look);
    membership.clockOffset = joiner.clock.offset;
    membership.shown = { name: look.name, rules: look.rules };
    const before = (await this.database.memberships()).find((one) => one.neighborhood === hub.neighborhood);
    await this.database.keep(membership);
    try {
      await joiner.send(record);
    } catch (error) {
      if (error instanceof CallError && error.isFinal) {
        if (before) await this.database.keep(before);
        else await this.database.forget(hub.neighborhood);
      }
      throw error;
    }
    membership.joining = null;
    await this.database.keep(membership);
    const joined: Joined = { neighborhood: hub.neighborhood, signer };
    this.dispatchEvent(new CustomEvent("joined", { detail: joined }));
  }
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
