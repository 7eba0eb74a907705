/** The page: opens what this browser keeps, joins, unlocks, and follows one neighborhood, in one tab. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import { Home } from "../hub/home";
import { isIn, Joiner } from "../hub/joining";
import { Copy } from "../hub/keeping";
import { HubClock } from "../protocol/calls";
import { readTrusted } from "../protocol/envelope";
import { parseLink } from "../protocol/invites";
import type { Signer } from "../protocol/keys";
import { Database, type Membership } from "../storage/database";
import { openKey, WrongPassphrase } from "../storage/keystore";
import { errorText, language, texts } from "../texts";
import { base } from "./styles";
import type { Joined } from "./join";
import type { Found } from "./welcome";
import "./join";
import "./neighborhood";
import "./welcome";

type View =
  | { name: "starting" | "elsewhere" }
  | { name: "broken"; text: string; retry: boolean }
  | { name: "welcome"; link: string }
  | { name: "join"; found: Found }
  | { name: "unlock"; membership: Membership; wrong: boolean; busy: boolean }
  | { name: "home"; home: Home };

const LOCK = "ringwatch";

@customElement("rw-app")
export class App extends LitElement {
  static override styles = [
    base,
    css`
      .narrow {
        max-width: 40rem;
        margin: 0 auto;
        padding: 1.5rem 1rem 3rem;
      }
      form {
        display: grid;
        gap: 1rem;
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.75rem 1rem;
        border-radius: 12px;
      }
    `,
  ];

  @state() private view: View = { name: "starting" };
  private database: Database | null = null;
  private memberships: Membership[] = [];
  private names = new Map<string, string>();

  override connectedCallback(): void {
    super.connectedCallback();
    document.documentElement.lang = language;
    addEventListener("error", this.crashed);
    addEventListener("unhandledrejection", this.crashed);
    void this.lock(false);
  }

  override render(): TemplateResult {
    const { view } = this;
    if (view.name === "home") {
      const others = this.memberships.map((one) => ({
        neighborhood: one.neighborhood,
        name: this.names.get(one.neighborhood) ?? one.shown.name,
      }));
      return html`<rw-neighborhood .home=${view.home} .others=${others} @forget=${this.forget} @add=${this.add} @switch=${this.switchTo}></rw-neighborhood>`;
    }
    return html`<main class="narrow">${this.inside(view)}</main>`;
  }

  private inside(view: Exclude<View, { name: "home" }>): TemplateResult | typeof nothing {
    switch (view.name) {
      case "starting":
        return html`<p class="muted" role="status">${texts.phase.starting}</p>`;
      case "welcome":
        return html`<rw-welcome .link=${view.link} @found=${this.found} @came-back=${this.cameBack}></rw-welcome>`;
      case "join":
        return html`<rw-join .found=${view.found} .database=${this.database} @joined=${this.joined} @cancelled=${() => (this.view = { name: "welcome", link: "" })}></rw-join>`;
      case "unlock":
        return this.unlockForm(view);
      case "elsewhere":
        return html`<section class="card stack">
          <h1>${texts.elsewhere.title}</h1>
          <p>${texts.elsewhere.lead}</p>
          <div><button class="primary" @click=${() => this.lock(true)}>${texts.elsewhere.take}</button></div>
        </section>`;
      case "broken":
        return html`<section class="card stack" role="alert">
          <p>${view.text}</p>
          ${view.retry ? html`<div><button @click=${() => { location.reload(); }}>${texts.reload}</button></div>` : nothing}
        </section>`;
    }
  }

  private unlockForm(view: Extract<View, { name: "unlock" }>): TemplateResult {
    const t = texts.unlock;
    return html`<form class="card" @submit=${this.unlock}>
      <h1>${t.title}</h1>
      <div class="field">
        <label for="passphrase">${t.passphrase}</label>
        <input id="passphrase" name="passphrase" type="password" autocomplete="current-password" required />
      </div>
      ${view.wrong ? html`<p class="error" role="alert">${t.wrong}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${view.busy}>${view.busy ? t.unlocking : t.unlock}</button></div>
    </form>`;
  }

  /** One tab at a time: two would sign two records after one, which is a fork. */
  private async lock(steal: boolean): Promise<void> {
    if (!("locks" in navigator)) {
      await this.start();
      return;
    }
    const options: LockOptions = steal ? { steal: true } : { ifAvailable: true };
    try {
      await navigator.locks.request(LOCK, options, async (lock) => {
        if (!lock) {
          this.view = { name: "elsewhere" };
          return;
        }
        await this.start();
        await new Promise(() => undefined); // held as long as the page is open
      });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
      this.leaveHome(); // another tab has taken over
      this.view = { name: "elsewhere" };
    }
  }

  private async start(): Promise<void> {
    if (!("crypto" in globalThis)) {
      this.view = { name: "broken", text: texts.errors.no_random, retry: false };
      return;
    }
    try {
      this.database = await Database.open();
      this.memberships = await this.database.memberships();
    } catch {
      this.view = { name: "broken", text: texts.errors.no_storage, retry: false };
      return;
    }
    const link = location.hash.startsWith("#1.") ? location.href : "";
    if (link) history.replaceState(null, "", location.pathname); // the secret is not to stand in the history
    const [first] = this.memberships;
    if (link || !first) this.view = { name: "welcome", link };
    else await this.enter(first, null);
  }

  /** Go into a neighborhood, with a key that is open or can be opened. */
  private async enter(membership: Membership, open: Signer | null): Promise<void> {
    if (!open && membership.key.kind === "sealed") {
      this.view = { name: "unlock", membership, wrong: false, busy: false };
      return;
    }
    const signer = open ?? (await openKey(membership.key, () => Promise.resolve("")));
    if (membership.joining && !(await this.finishJoining(membership, signer))) return;
    await this.follow(membership, signer);
  }

  private async follow(membership: Membership, signer: Signer): Promise<void> {
    if (!this.database) return;
    const copy = await Copy.open(this.database, membership);
    const home = new Home(this.database, copy, signer);
    home.addEventListener("change", () => {
      if (copy.state.isFounded) this.names.set(membership.neighborhood, copy.state.hood.name);
    });
    this.view = { name: "home", home };
    await askToKeep();
    await home.run();
  }

  /** The answer to a joining may have been lost: ask whether it was taken, else send the same record again. */
  private async finishJoining(membership: Membership, signer: Signer): Promise<boolean> {
    const { joining, url, neighborhood, hubKey } = membership;
    if (!joining || !this.database) return true;
    try {
      if (!(await isIn({ url, neighborhood, hubKey }, signer, new HubClock(membership.clockOffset)))) {
        const joiner = new Joiner(await parseLink(joining.link));
        await joiner.look();
        await joiner.send(readTrusted(joining.wire));
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.isFinal) await this.database.forget(neighborhood);
      this.view = { name: "broken", text: errorText(error.code), retry: true };
      return false;
    }
    membership.joining = null;
    await this.database.keep(membership);
    return true;
  }

  private leaveHome(): void {
    if (this.view.name === "home") this.view.home.stop();
  }

  private readonly found = (event: CustomEvent<Found>): void => {
    const there = this.memberships.find((one) => one.neighborhood === event.detail.joiner.invite.certificate.neighborhood);
    const replaces = event.detail.joiner.invite.certificate.replaces !== null;
    if (there && !replaces) void this.enter(there, null);
    else this.view = { name: "join", found: event.detail };
  };

  private readonly joined = async (event: CustomEvent<Joined>): Promise<void> => {
    if (!this.database) return;
    this.memberships = await this.database.memberships();
    const membership = this.memberships.find((one) => one.neighborhood === event.detail.neighborhood);
    if (membership) await this.enter(membership, event.detail.signer);
  };

  private readonly cameBack = async (event: CustomEvent<Membership>): Promise<void> => {
    await this.database?.keep(event.detail);
    this.memberships = (await this.database?.memberships()) ?? [];
    await this.enter(event.detail, null);
  };

  private readonly unlock = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (this.view.name !== "unlock") return;
    const { membership } = this.view;
    const typed = new FormData(event.target as HTMLFormElement).get("passphrase");
    this.view = { ...this.view, busy: true, wrong: false };
    try {
      const signer = await openKey(membership.key, () => Promise.resolve(typeof typed === "string" ? typed : ""));
      await this.enter(membership, signer);
    } catch (error) {
      if (!(error instanceof WrongPassphrase)) throw error;
      this.view = { name: "unlock", membership, wrong: true, busy: false };
    }
  };

  private readonly forget = async (): Promise<void> => {
    if (this.view.name !== "home") return;
    this.leaveHome();
    await this.database?.forget(this.view.home.membership.neighborhood);
    location.reload();
  };

  private readonly add = (): void => {
    this.leaveHome();
    this.view = { name: "welcome", link: "" };
  };

  private readonly switchTo = (event: CustomEvent<string>): void => {
    const other = this.memberships.find((one) => one.neighborhood === event.detail);
    if (!other) return;
    this.leaveHome();
    void this.enter(other, null);
  };

  private readonly crashed = (): void => {
    this.leaveHome();
    this.view = { name: "broken", text: texts.crashed, retry: true };
  };
}

/** Ask that the browser doesn't clear the key away when its disk fills up. Pages from http:// have nothing to ask. */
async function askToKeep(): Promise<void> {
  if ("storage" in navigator) await navigator.storage.persist().catch(() => false);
}
