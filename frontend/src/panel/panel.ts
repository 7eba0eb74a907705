/** The panel: requests, answers, the log and settings; one request at a time is looked at. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { when } from "../texts";
import { icon } from "../ui/icons";
import { Api, messageOf, type FootageRequest, type Hass, type Neighborhood, type Overview } from "./api";
import { panel } from "./styles";
import { words } from "./words";
import "./answer-view";
import "./log-view";
import "./review";
import "./settings-view";

const TABS = ["requests", "answers", "log", "settings"] as const;
type Tab = (typeof TABS)[number];
const OVER = new Set(["closed", "expired", "refused"]);
const TELL_AGAIN_MS = 250; // several changes come together

@customElement("ringwatch-panel")
export class Panel extends LitElement {
  static override styles = [
    ...panel,
    css`
      :host {
        min-height: 100vh;
        background: var(--page);
        font-family: var(--ha-font-family-body, Roboto, system-ui, sans-serif);
        line-height: 1.45;
      }
      header {
        position: sticky;
        inset-block-start: 0;
        z-index: 2;
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-height: 56px;
        padding: 0 1rem;
        background: var(--app-header-background-color, var(--accent));
        color: var(--app-header-text-color, #fff);
      }
      header h1 {
        font-size: 1.25rem;
        font-weight: 500;
        margin-inline-end: auto;
      }
      nav {
        display: flex;
        gap: 0.25rem;
        overflow-x: auto;
        border-bottom: 1px solid var(--line);
        background: var(--card);
        padding: 0 1rem;
      }
      nav button {
        border-radius: 0;
        background: none;
        color: var(--muted);
        border-bottom: 3px solid transparent;
        white-space: nowrap;
      }
      nav button:hover:not(:disabled) {
        background: none;
        color: var(--text);
      }
      nav button[aria-current="page"] {
        color: var(--text);
        border-bottom-color: var(--accent);
      }
      main {
        max-width: 60rem;
        margin: 0 auto;
        padding: 1.25rem 1rem 4rem;
      }
      .request {
        display: grid;
        gap: 0.35rem;
        width: 100%;
        text-align: start;
        justify-content: stretch;
        justify-items: start;
        border-radius: 16px;
        font-weight: 400;
        background: var(--card);
        border: 1px solid var(--line);
        padding: 1rem 1.25rem;
        box-shadow: var(--shadow);
      }
      .request strong {
        font-size: 1.1rem;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) hass!: Hass;
  @property({ type: Boolean }) narrow = false;
  @property({ attribute: false }) route: unknown;
  @property({ attribute: false }) panel: unknown;
  @state() private overview: Overview | null = null;
  @state() private failed = "";
  @state() private tab: Tab = "requests";
  @state() private opened = new URLSearchParams(location.search).get("request") ?? "";
  private api: Api | null = null;
  private unsubscribe: (() => Promise<void>) | null = null;
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.moved);
    addEventListener("location-changed", this.moved);
    if (this.hasUpdated) void this.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.moved);
    removeEventListener("location-changed", this.moved);
    clearTimeout(this.timer);
    this.hass.connection.removeEventListener("ready", this.reload);
    void this.unsubscribe?.();
    this.unsubscribe = null;
  }

  protected override firstUpdated(): void {
    void this.start();
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    // Home Assistant gives a new `hass` with every change of any state: only the first matters here.
    return !(changed.size === 1 && changed.has("hass") && this.hasUpdated);
  }

  private readonly moved = (): void => {
    this.opened = new URLSearchParams(location.search).get("request") ?? "";
  };

  private async start(): Promise<void> {
    this.api = new Api(this.hass);
    this.hass.connection.addEventListener("ready", this.reload); // connected again: what was told meanwhile is not told twice
    await this.load();
    try {
      this.unsubscribe = await this.api.subscribe(() => {
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => void this.load(), TELL_AGAIN_MS);
      });
    } catch (error) {
      this.failed = messageOf(error);
    }
  }

  private readonly reload = (): void => {
    void this.load();
  };

  private readonly load = async (): Promise<void> => {
    try {
      this.overview = (await this.api?.ask<Overview>("overview")) ?? null;
      this.failed = "";
    } catch (error) {
      this.failed = messageOf(error);
    }
  };

  override render(): TemplateResult {
    return html`<header>
        <ha-menu-button .hass=${this.hass} .narrow=${this.narrow}></ha-menu-button>
        <h1>${words.title}</h1>
      </header>
      ${this.opened
        ? nothing
        : html`<nav aria-label=${words.title}>
            ${TABS.map((tab) => html`<button aria-current=${this.tab === tab ? "page" : "false"} @click=${() => { this.show(tab); }}>${words.tabs[tab]}</button>`)}
          </nav>`}
      <main>${this.inside()}</main>`;
  }

  private inside(): TemplateResult {
    const { overview, api } = this;
    if (this.failed && !overview) {
      return html`<div class="error stack" role="alert">
        <p>${words.failed} ${this.failed}</p>
        <div><button @click=${this.load}>${words.again}</button></div>
      </div>`;
    }
    if (!overview || !api) return html`<p class="muted" role="status">${words.loading}</p>`;
    if (this.opened) return this.review(overview, api);
    switch (this.tab) {
      case "requests":
        return this.requests(overview);
      case "answers":
        return html`<div class="stack">
          ${overview.answers.length === 0 ? html`<p class="muted">${words.answer.none}</p>` : nothing}
          ${overview.answers.map((answer) => html`<rw-answer class="card" .api=${api} .answer=${answer} .overview=${overview} short @open=${() => { this.open(answer.request); }} @told=${this.reload}></rw-answer>`)}
        </div>`;
      case "log":
        return html`<rw-log .api=${api} .overview=${overview} .allowed=${overview.may.administer}></rw-log>`;
      case "settings":
        return html`<rw-settings .api=${api} .settings=${overview.settings} .allowed=${overview.may.administer} @told=${this.reload}></rw-settings>`;
    }
  }

  private review(overview: Overview, api: Api): TemplateResult {
    for (const hood of overview.neighborhoods) {
      const request = hood.requests.find((one) => one.id === this.opened);
      if (request) {
        return html`<div class="stack">
          <div><button class="quiet" @click=${() => { this.open(""); }}>${icon("back")} ${words.back}</button></div>
          <rw-review .api=${api} .refresh=${this.load} .overview=${overview} .neighborhood=${hood} .request=${request} @told=${this.reload} @settings=${() => { this.show("settings"); }}></rw-review>
        </div>`;
      }
    }
    return html`<div class="stack">
      <p class="muted">${words.noRequests}</p>
      <div><button class="quiet" @click=${() => { this.open(""); }}>${icon("back")} ${words.back}</button></div>
    </div>`;
  }

  private requests(overview: Overview): TemplateResult {
    const all = overview.neighborhoods.flatMap((hood) => hood.requests.map((request) => ({ hood, request })));
    const open = all.filter(({ request }) => request.status === "open");
    const waiting = all.filter(({ request, hood }) => hood.moderates && (request.status === "pending" || request.status === "held"));
    const over = all.filter(({ request }) => OVER.has(request.status));
    return html`<div class="stack">
      ${overview.open ? nothing : html`<p class="error" role="alert">${words.closed}</p>`}
      ${overview.neighborhoods.length === 0 ? html`<p class="note">${words.noNeighborhood}</p>` : html`<p class="note">${words.silence}</p>`}
      ${overview.neighborhoods.filter((hood) => !hood.connected).map((hood) => html`<p class="error">${hood.name}: ${words.notConnected}</p>`)}
      ${waiting.length ? html`<h2>${words.waiting}</h2>${waiting.map((one) => this.card(one.hood, one.request))}` : nothing}
      ${open.length ? html`<h2>${words.open}</h2>${open.map((one) => this.card(one.hood, one.request))}` : nothing}
      ${overview.neighborhoods.length && open.length + waiting.length === 0 ? html`<p class="muted">${words.noRequests}</p>` : nothing}
      ${over.length ? html`<h2>${words.over}</h2>${over.map((one) => this.card(one.hood, one.request))}` : nothing}
    </div>`;
  }

  private card(hood: Neighborhood, request: FootageRequest): TemplateResult {
    return html`<button class="request" @click=${() => { this.open(request.id); }}>
      <span class="row">
        <strong>${words.incidents[request.incident] ?? request.incident}</strong>
        ${request.status === "open" ? html`<span class="chip ${request.matches ? "new" : ""}">${words.matches(request.matches)}</span>` : html`<span class="chip">${words.statuses[request.status] ?? request.status}</span>`}
        ${request.my === "declined" ? html`<span class="chip">${words.declined}</span>` : request.my ? html`<span class="chip">${words.answered}</span>` : nothing}
        ${request.reminded && request.status === "open" ? html`<span class="chip alert">${words.reminded}</span>` : nothing}
      </span>
      <span class="said">${words.request.asks(request.officer, request.agency.name)}</span>
      <span class="muted small">${hood.name} · ${when(request.start)} – ${when(request.end)}${request.status === "open" ? ` · ${words.until(when(request.expires))}` : ""}</span>
    </button>`;
  }

  private show(tab: Tab): void {
    this.tab = tab;
    if (this.opened) this.open("");
  }

  private open(request: string): void {
    this.opened = request;
    history.pushState(null, "", request ? `${location.pathname}?request=${request}` : location.pathname);
    window.scrollTo(0, 0);
  }
}
