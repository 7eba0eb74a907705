/** One neighborhood, as an officer sees it: what is wrong, if anything, and feed, requests, deliveries, or agency and key. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Home } from "../hub/home";
import { fingerprint } from "../protocol/keys";
import { isActive } from "../rules/rows";
import { errorText, texts, when } from "../texts";
import type { Dialogs } from "../ui/dialogs";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { phaseText, standing } from "../ui/standing";
import { base } from "../ui/styles";
import type { Session } from "./app";
import type { Desk } from "./desk";
import { words } from "./words";
import "../ui/dialogs";
import "./about";
import "./deliveries";
import "./feed";
import "./requests";

const TABS = ["feed", "requests", "deliveries", "about"] as const;
type Tab = (typeof TABS)[number];
const ENDS_SOON_S = 30 * 86_400;

@customElement("rw-office")
export class Office extends LitElement {
  static override styles = [
    base,
    css`
      header {
        position: sticky;
        top: 0;
        z-index: 2;
        background: color-mix(in srgb, var(--page) 92%, transparent);
        backdrop-filter: blur(8px);
        border-bottom: 1px solid var(--line);
      }
      .bar,
      main {
        max-width: 64rem;
        margin-inline: auto;
        padding-inline: 1rem;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.25rem 1rem;
        padding-block: 0.5rem;
      }
      .title {
        flex: 1 1 12rem;
        min-width: 0;
      }
      .title strong {
        display: block;
        font-size: 1.1rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .dot {
        display: inline-block;
        width: 0.6rem;
        height: 0.6rem;
        border-radius: 50%;
        background: var(--accent);
        margin-inline-end: 0.35rem;
      }
      .dot.off {
        background: transparent;
        border: 2px solid var(--muted);
      }
      @media (max-width: 40rem) {
        nav {
          order: 3; /* below the name and the lock */
          flex: 1 0 100%;
        }
      }
      nav {
        display: flex;
        gap: 0.25rem;
        max-width: 100%;
        overflow-x: auto;
        padding: 3px;
        scrollbar-width: none;
      }
      nav button {
        white-space: nowrap;
      }
      nav button[aria-current="page"] {
        background: var(--button);
        color: var(--text);
        font-weight: 600;
      }
      main {
        padding-block: 1rem 3rem;
      }
      select {
        font: inherit;
        min-height: 44px;
        max-width: 100%;
        background: var(--field);
        color: var(--text);
        border: 1px solid var(--field-line);
        border-radius: 12px;
        padding: 0.3rem 0.6rem;
      }
      progress {
        width: 100%;
        accent-color: var(--accent);
      }
      code {
        overflow-wrap: anywhere;
        background: var(--chip);
        padding: 0.1rem 0.35rem;
        border-radius: 6px;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) desk!: Desk;
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) others: { neighborhood: string; name: string }[] = [];
  @state() private tab: Tab = "feed";
  @state() private note = "";
  @state() private copied = false;
  @query("rw-dialogs") private dialogs!: Dialogs;

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.home.addEventListener("refused", this.refused);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.home.removeEventListener("refused", this.refused);
  }

  protected override firstUpdated(): void {
    this.requestUpdate(); // the parts that ask questions get the dialogs, which are there only now
  }

  override render(): TemplateResult {
    const { home } = this;
    const { state: hood } = home.copy;
    const name = hood.isFounded ? hood.hood.name : home.membership.shown.name;
    document.title = `${name ? `${name} · ` : ""}${words.product}`;
    const shown = hood.isFounded && home.me !== null && home.phase !== "removed";
    return html`
      <header>
        <div class="bar">
          <div class="title">
            ${this.others.length > 1 ? this.switcher() : html`<strong dir="auto">${name || words.product}</strong>`}
            <span class="small muted" role="status" id="phase"><span class="dot ${home.phase === "live" ? "" : "off"}"></span>${this.isUncertified() ? words.certify.title : phaseText(home)}</span>
          </div>
          ${shown
            ? html`<nav aria-label=${words.nav.label}>
                ${TABS.map((tab) => html`<button class="quiet" aria-current=${this.tab === tab ? "page" : nothing} @click=${() => { this.choose(tab); }}>${words.nav[tab]}</button>`)}
              </nav>`
            : nothing}
          ${this.session.kept.kind === "file" ? html`<button class="quiet" id="lock" @click=${() => this.dispatchEvent(new CustomEvent("lock"))}>${words.nav.lock}</button>` : nothing}
        </div>
      </header>
      <main class="stack">
        ${this.isUncertified() ? this.uncertified() : html`${standing(home, this.note)} ${this.certificate()} ${this.content()}`}
      </main>
      <rw-dialogs></rw-dialogs>
    `;
  }

  /** Whether the hub has never shown a record that certifies this key. */
  private isUncertified(): boolean {
    return this.home.phase === "removed" && !this.home.amRemoved();
  }

  private uncertified(): TemplateResult {
    const t = words.certify;
    const { publicKey } = this.session.kept;
    return html`<section class="card stack" id="uncertified">
      <h1>${t.title}</h1>
      <p>${t.lead} <code>script/agency certify</code>, ${t.leadEnd}</p>
      <div class="field">
        <label for="public-key">${t.publicKey}</label>
        <input id="public-key" class="digits" type="text" readonly .value=${publicKey} @focus=${(event: Event) => { (event.target as HTMLInputElement).select(); }} />
      </div>
      <p class="small muted">${t.fingerprint}: <span class="digits">${fingerprint(publicKey)}</span></p>
      <div class="row">
        <button class="primary" @click=${() => this.home.retry()}>${t.again}</button>
        <button @click=${this.copy}>${this.copied ? t.copied : t.copy}</button>
        <button class="quiet" @click=${() => this.dispatchEvent(new CustomEvent("add"))}>${words.hub.back}</button>
        ${this.session.kept.kind === "browser" ? html`<button class="quiet" @click=${() => { this.renderRoot.querySelector("dialog")?.showModal(); }}>${words.keys.forget}</button>` : nothing}
      </div>
      <dialog aria-labelledby="forget-title">
        <div class="stack">
          <h2 id="forget-title">${words.keys.forgetTitle}</h2>
          <p class="muted">${words.keys.forgetLead} ${words.keys.forgetBrowser}</p>
          <div class="row">
            <button class="quiet" @click=${() => { this.renderRoot.querySelector("dialog")?.close(); }}>${words.keys.cancel}</button>
            <button class="danger" @click=${() => this.dispatchEvent(new CustomEvent("forget-key"))}>${words.keys.forgetDo}</button>
          </div>
        </div>
      </dialog>
    </section>`;
  }

  private certificate(): TemplateResult | typeof nothing {
    const { me, copy, clock, phase } = this.home;
    if (phase === "removed") {
      return html`<section class="card stack" role="alert" id="removed">
        <p>${words.certify.signedOff}</p>
        <div class="row"><button @click=${() => this.home.retry()}>${words.certify.again}</button></div>
      </section>`;
    }
    if (me?.kind !== "officer") return nothing;
    const now = clock.now();
    const agency = me.agency === null ? null : copy.state.subject(me.agency);
    if (me.expires <= now) return html`<p class="note bad" role="alert">${icon("warning")}<span>${words.certify.expired(when(me.expires))}</span></p>`;
    if (agency && !isActive(agency)) return html`<p class="note bad" role="alert">${icon("warning")}<span>${words.certify.signedOff}</span></p>`;
    if (me.expires - now < ENDS_SOON_S) return html`<p class="note">${icon("time")}<span>${words.certify.soon(when(me.expires))}</span></p>`;
    return nothing;
  }

  private content(): TemplateResult | typeof nothing {
    const { home, desk, session, dialogs } = this;
    const { state: hood } = home.copy;
    if (home.phase === "removed") return nothing;
    if (!hood.isFounded || !home.me) {
      if (home.phase === "trouble" || home.phase === "offline" || home.phase === "busy") return nothing;
      const total = hood.position.number + home.behind;
      return html`<div class="card stack">
        <progress aria-label=${texts.phase.catching_up} max="1" value=${total ? hood.position.number / total : nothing}></progress>
        <p class="muted">${phaseText(home)}</p>
      </div>`;
    }
    switch (this.tab) {
      case "feed":
        return html`<rw-officer-feed .home=${home} .desk=${desk} .dialogs=${dialogs}></rw-officer-feed>`;
      case "requests":
        return html`<rw-requests .home=${home} .desk=${desk} .dialogs=${dialogs}></rw-requests>`;
      case "deliveries":
        return html`<rw-deliveries .home=${home} .desk=${desk} .session=${session}></rw-deliveries>`;
      case "about":
        return html`<rw-officer-about .home=${home} .session=${session}></rw-officer-about>`;
    }
  }

  private switcher(): TemplateResult {
    const { neighborhood } = this.home.membership;
    return html`<label class="away" for="other">${texts.nav.switch}</label
      ><select id="other" @change=${this.switched}>
        ${this.others.map((one) => html`<option value=${one.neighborhood} ?selected=${one.neighborhood === neighborhood}>${one.name}</option>`)}
      </select>`;
  }

  private choose(tab: Tab): void {
    this.tab = tab;
    scrollTo(0, 0);
  }

  private readonly copy = async (): Promise<void> => {
    this.renderRoot.querySelector<HTMLInputElement>("#public-key")?.select();
    this.copied = await navigator.clipboard.writeText(this.session.kept.publicKey).then(
      () => true,
      () => false, // not allowed here: it is selected, and can be copied by hand
    );
  };

  private readonly refused = (event: Event): void => {
    this.note = errorText((event as CustomEvent<string>).detail);
  };

  private readonly switched = (event: Event): void => {
    this.dispatchEvent(new CustomEvent("switch", { detail: (event.target as HTMLSelectElement).value }));
  };
}
