/** An officer's key: from a file with a passphrase, or made in this browser. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { fingerprint, hasNativeKeys, NativeSigner } from "../protocol/keys";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Session } from "./app";
import type { OfficerKey } from "./desk";
import { BrowserTooOld, NoKeyFile, openKeyFile, readKeyFile, WrongPassphrase, type KeyFile, type OpenedFile } from "./keyfile";
import { words } from "./words";

/** A key that was opened here, and the hub that its file names. */
export interface Unlocked {
  session: Session;
  hub: string | null;
}

/** Open a key file; or return why it can't be. */
export async function tryOpen(file: KeyFile, passphrase: string): Promise<OpenedFile | string> {
  try {
    return await openKeyFile(file, passphrase);
  } catch (error) {
    if (error instanceof WrongPassphrase) return words.keys.wrong;
    if (error instanceof NoKeyFile) return words.keys.notKeyFile;
    if (error instanceof BrowserTooOld) return words.keys.tooOld;
    throw error;
  }
}

@customElement("rw-keys")
export class Keys extends LitElement {
  static override styles = [
    base,
    css`
      form {
        display: grid;
        gap: 1rem;
        grid-template-columns: minmax(0, 1fr);
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.75rem 1rem;
        border-radius: 12px;
      }
      .mark {
        width: 3.25rem;
        height: 3.25rem;
        border-radius: 1rem;
        display: grid;
        place-content: center;
        background: var(--accent);
        color: var(--on-accent);
      }
      .mark svg {
        width: 30px;
        height: 30px;
      }
      input[type="file"] {
        max-width: 100%;
        font: inherit;
      }
    `,
  ];

  @property({ attribute: false }) kept: OfficerKey | null = null;
  @property({ type: Boolean }) locked = false;
  @state() private busy = false;
  @state() private error = "";

  override render(): TemplateResult {
    return this.kept ? this.unlockForm(this.kept) : this.choices();
  }

  private choices(): TemplateResult {
    const t = words.keys;
    return html`<div class="stack">
      <section class="card stack">
        <span class="mark">${icon("safety")}</span>
        <h1 tabindex="-1">${words.product}</h1>
        <p class="muted">${t.lead}</p>
      </section>
      <section class="card" aria-labelledby="file-title">
        <form @submit=${this.useFile}>
          <h2 id="file-title">${t.fileTitle}</h2>
          <p class="muted">${t.fileLead}</p>
          <div class="field"><label for="file">${t.fileChoose}</label><input id="file" name="file" type="file" accept=".json,application/json" required /></div>
          ${this.passphrase()} ${this.problem()}
          <div class="row"><button class="primary" ?disabled=${this.busy}>${this.busy ? t.opening : t.open}</button></div>
        </form>
      </section>
      <section class="card stack" aria-labelledby="make-title">
        <h2 id="make-title">${t.makeTitle}</h2>
        <p class="muted">${t.makeLead}</p>
        <div class="row"><button @click=${this.make}>${t.make}</button></div>
      </section>
    </div>`;
  }

  private unlockForm(kept: OfficerKey): TemplateResult {
    const t = words.keys;
    return html`<section class="card">
      <form @submit=${this.unlock}>
        <span class="mark">${icon("safety")}</span>
        <h1>${t.unlockTitle}</h1>
        ${this.locked ? html`<p class="note">${icon("time")}<span>${t.locked}</span></p>` : nothing}
        <p class="muted">${kept.kind === "file" ? html`<bdi>${kept.agency}</bdi><br />` : nothing}<span class="digits small">${fingerprint(kept.publicKey)}</span></p>
        ${this.passphrase()} ${this.problem()}
        <div class="row">
          <button class="primary" ?disabled=${this.busy}>${this.busy ? t.opening : t.unlock}</button>
          <button type="button" class="quiet" @click=${this.forget}>${t.forget}</button>
        </div>
      </form>
      <dialog aria-labelledby="forget-title">
        <div class="stack">
          <h2 id="forget-title">${t.forgetTitle}</h2>
          <p class="muted">${t.forgetLead} ${kept.kind === "file" ? t.forgetFile : t.forgetBrowser}</p>
          <div class="row">
            <button class="quiet" @click=${this.closeDialog}>${t.cancel}</button>
            <button class="danger" @click=${() => this.dispatchEvent(new CustomEvent("forget-key"))}>${t.forgetDo}</button>
          </div>
        </div>
      </dialog>
    </section>`;
  }

  private passphrase(): TemplateResult {
    return html`<div class="field">
      <label for="passphrase">${words.keys.passphrase}</label>
      <input id="passphrase" name="passphrase" type="password" autocomplete="current-password" required />
    </div>`;
  }

  private problem(): TemplateResult | typeof nothing {
    return this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing;
  }

  private readonly useFile = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const chosen = form.get("file");
    if (!(chosen instanceof File)) return;
    this.busy = true;
    try {
      const file = await readKeyFile(chosen);
      await this.open(file, textOf(form, "passphrase"));
    } catch (error) {
      if (!(error instanceof NoKeyFile)) throw error;
      this.error = words.keys.notKeyFile;
    } finally {
      this.busy = false;
    }
  };

  private readonly unlock = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (this.kept?.kind !== "file") return;
    this.busy = true;
    const { file } = this.kept;
    await this.open(file, textOf(new FormData(event.target as HTMLFormElement), "passphrase"));
    this.busy = false;
  };

  private async open(file: KeyFile, passphrase: string): Promise<void> {
    this.error = "";
    const found = await tryOpen(file, passphrase);
    if (typeof found === "string") this.error = found;
    else if (!found.signer) this.error = words.keys.readingOnly;
    else {
      const { signer, reading, agency, hub } = found;
      const kept: OfficerKey = { kind: "file", publicKey: signer.publicKey, file, agency };
      this.tell({ session: { kept, signer, reading: [reading] }, hub });
    }
  }

  private readonly make = async (): Promise<void> => {
    if (!(await hasNativeKeys())) {
      this.error = words.keys.noNative;
      return;
    }
    const signer = await NativeSigner.generate();
    const kept: OfficerKey = { kind: "browser", publicKey: signer.publicKey, key: signer.key, reading: [] };
    this.tell({ session: { kept, signer, reading: [] }, hub: null });
  };

  private tell(detail: Unlocked): void {
    this.dispatchEvent(new CustomEvent("unlocked", { detail }));
  }

  private readonly forget = (): void => {
    this.renderRoot.querySelector("dialog")?.showModal();
  };

  private readonly closeDialog = (): void => {
    this.renderRoot.querySelector("dialog")?.close();
  };
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
