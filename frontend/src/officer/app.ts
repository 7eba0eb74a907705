/** The officer's page: its key, its hubs, and one neighborhood at a time, in one tab. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { Home } from "../hub/home";
import { Copy } from "../hub/keeping";
import type { Hub } from "../protocol/calls";
import { NativeSigner, type Signer } from "../protocol/keys";
import { Database, type Membership } from "../storage/database";
import { language, texts } from "../texts";
import { base } from "../ui/styles";
import { COPIES, Desk, type OfficerKey } from "./desk";
import type { Unlocked } from "./keys";
import type { ReadingKey } from "./keyfile";
import { words } from "./words";
import "./hub-link";
import "./keys";
import "./office";

type View =
  | { name: "starting" | "elsewhere" }
  | { name: "broken"; text: string; retry: boolean }
  | { name: "keys"; kept: OfficerKey | null; locked: boolean }
  | { name: "hub"; link: string }
  | { name: "home"; home: Home };

const LOCK = "ringwatch-officer";
const IDLE_MS = 30 * 60_000; // without a touch or a key, then a key of a file is locked away

/** A key that is open. */
export interface Session {
  kept: OfficerKey;
  signer: Signer;
  reading: ReadingKey[];
}

@customElement("rw-officer")
export class OfficerApp extends LitElement {
  static override styles = [
    base,
    css`
      .narrow {
        max-width: 42rem;
        margin: 0 auto;
        padding: 1.5rem 1rem 3rem;
      }
    `,
  ];

  @state() private view: View = { name: "starting" };
  private database!: Database;
  private desk!: Desk;
  private session: Session | null = null;
  private memberships: Membership[] = [];
  private readonly names = new Map<string, string>();
  private idle: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    document.documentElement.lang = language;
    addEventListener("error", this.crashed);
    addEventListener("unhandledrejection", this.crashed);
    for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, this.touched, { passive: true });
    void this.lock(false);
  }

  override render(): TemplateResult {
    const { view, session } = this;
    if (view.name === "home" && session) {
      const others = this.memberships.map(({ neighborhood, shown }) => ({
        neighborhood,
        name: this.names.get(neighborhood) ?? (shown.name || neighborhood.slice(0, 8)),
      }));
      return html`<rw-office
        .home=${view.home}
        .desk=${this.desk}
        .session=${session}
        .others=${others}
        @switch=${this.switchTo}
        @add=${() => { this.addHub(); }}
        @forget-hood=${this.forgetHood}
        @forget-key=${this.forgetKey}
        @lock=${() => { this.lockKey(false); }}
        @session=${this.changed}
      ></rw-office>`;
    }
    return html`<main class="narrow">${this.inside(view)}</main>`;
  }

  private inside(view: View): TemplateResult | typeof nothing {
    switch (view.name) {
      case "starting":
        return html`<p class="muted" role="status">${texts.phase.starting}</p>`;
      case "keys":
        return html`<rw-keys .kept=${view.kept} ?locked=${view.locked} @unlocked=${this.unlocked} @forget-key=${this.forgetKey}></rw-keys>`;
      case "hub":
        return html`<rw-hub-link .link=${view.link} ?first=${this.memberships.length === 0} @hub=${this.hubChosen} @cancelled=${() => this.enterFirst()}></rw-hub-link>`;
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
      case "home":
        return nothing;
    }
  }

  /** One tab at a time: two would sign two records after one, which is a fork. */
  private async lock(steal: boolean): Promise<void> {
    if (!("locks" in navigator) || !("subtle" in crypto)) {
      this.view = { name: "broken", text: words.keys.insecure, retry: false };
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
    let kept: OfficerKey | null;
    try {
      this.database = await Database.open(COPIES);
      this.desk = await Desk.open();
      this.memberships = await this.database.memberships();
      kept = await this.desk.key();
    } catch {
      this.view = { name: "broken", text: texts.errors.no_storage, retry: false };
      return;
    }
    if (kept?.kind === "browser") await this.open({ kept, signer: NativeSigner.stored(kept.publicKey, kept.key), reading: kept.reading }, null);
    else this.view = { name: "keys", kept, locked: false };
  }

  private readonly unlocked = async (event: CustomEvent<Unlocked>): Promise<void> => {
    const { session, hub } = event.detail;
    await this.desk.keepKey(session.kept);
    await this.open(session, hub);
  };

  private async open(session: Session, link: string | null): Promise<void> {
    this.session = session;
    this.touched();
    await navigator.storage.persist().catch(() => false);
    if (link && this.memberships.length === 0) this.view = { name: "hub", link };
    else await this.enterFirst();
  }

  private async enterFirst(): Promise<void> {
    const [first] = this.memberships;
    if (first) await this.enter(first);
    else this.view = { name: "hub", link: "" };
  }

  private readonly hubChosen = async (event: CustomEvent<Hub>): Promise<void> => {
    const { url, neighborhood, hubKey } = event.detail;
    const there = this.memberships.find((one) => one.neighborhood === neighborhood);
    const membership: Membership = there ?? {
      neighborhood,
      url,
      hubKey,
      key: { kind: "elsewhere", publicKey: this.session?.kept.publicKey ?? "" },
      joining: null,
      shown: { name: "", rules: "" },
      clockOffset: 0,
      checkpointTime: 0,
      readUpTo: 0,
      trouble: null,
      outbox: null,
    };
    membership.url = url; // a hub may move; its key says that it is the same
    await this.database.keep(membership);
    this.memberships = await this.database.memberships();
    await this.enter(membership);
  };

  private async enter(membership: Membership): Promise<void> {
    if (!this.session) return;
    const copy = await Copy.open(this.database, membership);
    const home = new Home(this.database, copy, this.session.signer);
    home.addEventListener("change", () => {
      if (copy.state.isFounded) this.names.set(membership.neighborhood, copy.state.hood.name);
    });
    this.view = { name: "home", home };
    await home.run();
  }

  private leaveHome(): void {
    if (this.view.name === "home") this.view.home.stop();
  }

  private addHub(): void {
    this.leaveHome();
    this.view = { name: "hub", link: "" };
  }

  private readonly switchTo = (event: CustomEvent<string>): void => {
    const other = this.memberships.find((one) => one.neighborhood === event.detail);
    if (!other) return;
    this.leaveHome();
    void this.enter(other);
  };

  private readonly forgetHood = async (): Promise<void> => {
    if (this.view.name !== "home") return;
    const { neighborhood } = this.view.home.membership;
    this.leaveHome();
    await this.database.forget(neighborhood);
    await this.desk.forgetHood(neighborhood);
    location.reload();
  };

  private readonly forgetKey = async (): Promise<void> => {
    this.leaveHome();
    for (const { neighborhood } of await this.database.memberships()) await this.database.forget(neighborhood);
    await this.desk.clear();
    location.reload();
  };

  /** Put a file's key away. A key of the browser's stays where it is: there is no passphrase to ask for. */
  private lockKey(idle: boolean): void {
    const kept = this.session?.kept;
    if (kept?.kind !== "file") return;
    this.leaveHome();
    this.session = null;
    this.view = { name: "keys", kept, locked: idle };
  }

  private readonly changed = async (event: CustomEvent<Session>): Promise<void> => {
    this.session = event.detail;
    await this.desk.keepKey(event.detail.kept);
    this.requestUpdate();
  };

  private readonly touched = (): void => {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => { this.lockKey(true); }, IDLE_MS);
  };

  private readonly crashed = (event: Event): void => {
    if (event instanceof ErrorEvent && event.message.startsWith("ResizeObserver")) return; // not an error: a frame was late
    this.leaveHome();
    this.view = { name: "broken", text: texts.crashed, retry: true };
  };
}
