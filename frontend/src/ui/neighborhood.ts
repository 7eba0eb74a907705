/** A neighborhood that somebody belongs to: what is wrong, if anything, and the feed, the log, or one post. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Home } from "../hub/home";
import { maySeeBody, numbered } from "../rules/state";
import { count, errorText, texts } from "../texts";
import type { Dialogs } from "./dialogs";
import { HomeController } from "./home-controller";
import { icon } from "./icons";
import { phaseText, standing } from "./standing";
import { base } from "./styles";
import "./about";
import "./comments";
import "./dialogs";
import "./feed";
import "./log";
import "./post";

const TABS = ["feed", "log", "about"] as const;
type Tab = (typeof TABS)[number];

@customElement("rw-neighborhood")
export class Neighborhood extends LitElement {
  static override styles = [
    base,
    css`
      header {
        position: sticky;
        top: 0;
        z-index: 1;
        background: color-mix(in srgb, var(--page) 92%, transparent);
        backdrop-filter: blur(8px);
        border-bottom: 1px solid var(--line);
      }
      .bar,
      main {
        max-width: 44rem;
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
      nav {
        display: flex;
        gap: 0.25rem;
      }
      nav button[aria-current="page"] {
        background: var(--button);
        color: var(--text);
        font-weight: 600;
      }
      .count {
        background: var(--accent);
        color: var(--on-accent);
        border-radius: 999px;
        padding: 0 0.45rem;
        font-size: 0.8rem;
        font-weight: 700;
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
      h2,
      h1 {
        outline-offset: 4px;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) others: { neighborhood: string; name: string }[] = [];
  @state() private tab: Tab = "feed";
  @state() private post: string | null = null;
  @state() private note = "";
  @query("rw-dialogs") private dialogs!: Dialogs;
  private readAtStart: number | null = null;
  private scrolled = 0;

  constructor() {
    super();
    new HomeController(this, () => this.home);
    this.addEventListener("open-post", (event) => {
      this.scrolled = scrollY;
      history.pushState({ post: (event as CustomEvent<string>).detail }, "");
      this.show((event as CustomEvent<string>).detail);
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.popped);
    document.addEventListener("visibilitychange", this.looked);
    this.home.addEventListener("refused", this.refused);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.popped);
    document.removeEventListener("visibilitychange", this.looked);
    this.home.removeEventListener("refused", this.refused);
  }

  override render(): TemplateResult {
    const { home } = this;
    const { state: hood } = home.copy;
    const name = hood.isFounded ? hood.hood.name : home.membership.shown.name;
    const unread = this.unread();
    document.title = `${unread ? `(${unread}) ` : ""}${name} · ${texts.product}`;
    return html`
      <header>
        <div class="bar">
          <div class="title">
            ${this.others.length > 1 ? this.switcher() : html`<strong dir="auto">${name}</strong>`}
            <span class="small muted" role="status" id="phase"><span class="dot ${home.phase === "live" ? "" : "off"}"></span>${phaseText(home)}</span>
          </div>
          ${hood.isFounded && home.phase !== "removed"
            ? html`<nav aria-label=${texts.nav.label}>
                ${TABS.map(
                  (tab) => html`<button class="quiet" aria-current=${this.tab === tab && !this.post ? "page" : nothing} @click=${() => { this.choose(tab); }}>
                    ${texts.nav[tab]} ${tab === "feed" && unread ? html`<span class="count" aria-label=${texts.feed.unread(unread)}>${count(unread)}</span>` : nothing}
                  </button>`,
                )}
              </nav>`
            : nothing}
        </div>
      </header>
      <main class="stack">${standing(home, this.note)} ${home.phase === "removed" ? this.removed() : nothing} ${this.content()}</main>
      <rw-dialogs></rw-dialogs>
    `;
  }

  protected override firstUpdated(): void {
    this.requestUpdate(); // the parts that ask questions get the dialogs, which are there only now
  }

  private removed(): TemplateResult {
    return html`<section class="card stack" id="removed" role="alert">
      <h1>${texts.removed.title}</h1>
      <p>${this.home.amRemoved() ? texts.removed.lead : texts.removed.unsigned}</p>
      <div><button @click=${() => this.dispatchEvent(new CustomEvent("forget"))}>${texts.removed.forget}</button></div>
    </section>`;
  }

  private content(): TemplateResult | typeof nothing {
    const { home, dialogs } = this;
    const { state: hood } = home.copy;
    if (home.phase === "removed") return nothing;
    if (!hood.isFounded || (home.phase === "catching_up" && !home.me)) {
      if (home.phase === "trouble" || home.phase === "offline" || home.phase === "busy") return nothing;
      const total = hood.position.number + home.behind;
      return html`<div class="card stack">
        <progress aria-label=${texts.phase.catching_up} max="1" value=${total ? hood.position.number / total : nothing}></progress>
        <p class="muted">${phaseText(home)}</p>
      </div>`;
    }
    if (this.post) return this.one(this.post);
    switch (this.tab) {
      case "feed":
        return html`<rw-feed .home=${home} .dialogs=${dialogs} .readBefore=${this.readBefore()}></rw-feed>`;
      case "log":
        return html`<rw-log .home=${home}></rw-log>`;
      case "about":
        return html`<rw-about .home=${home} .dialogs=${dialogs}></rw-about>`;
    }
  }

  private one(id: string): TemplateResult {
    const { home, dialogs } = this;
    const item = home.copy.state.item(id);
    const there = item !== null && home.copy.record(id) !== null && maySeeBody(item, home.me);
    return html`<div><button class="quiet" id="back" @click=${() => { history.back(); }}>${icon("back")} ${texts.nav.back}</button></div>
      ${there
        ? html`<rw-post whole .home=${home} .dialogs=${dialogs} .item=${id}></rw-post>
            <rw-comments .home=${home} .dialogs=${dialogs} .post=${id}></rw-comments>`
        : html`<div class="card stack">
            <h1>${texts.post.notThere}</h1>
            <p class="muted">${texts.post.notThereLead}</p>
          </div>`}`;
  }

  private switcher(): TemplateResult {
    const { neighborhood } = this.home.membership;
    return html`<label class="away" for="other">${texts.nav.switch}</label
      ><select id="other" @change=${this.switched}>
        ${this.others.map((one) => html`<option value=${one.neighborhood} ?selected=${one.neighborhood === neighborhood}>${one.name}</option>`)}
      </select>`;
  }

  private unread(): number {
    const { home } = this;
    const { state: hood } = home.copy;
    const me = home.me?.id;
    const read = Math.max(home.membership.readUpTo, home.me?.since ?? 0);
    const newer = hood.store.scan("feed", numbered(read + 1));
    return newer.filter(([, id]) => {
      const item = hood.item(id as string);
      return item?.known === true && item.subject !== me && maySeeBody(item, home.me);
    }).length;
  }

  /** What was there before this visit, or before joining, isn't new. */
  private readBefore(): number {
    const { home } = this;
    this.readAtStart ??= home.membership.readUpTo;
    return Math.max(this.readAtStart, home.me?.since ?? 0);
  }

  private choose(tab: Tab): void {
    this.tab = tab;
    if (this.post) history.back();
    this.show(null);
    scrollTo(0, 0);
  }

  private show(post: string | null): void {
    this.post = post;
    void this.updateComplete.then(() => {
      scrollTo(0, post ? 0 : this.scrolled);
      if (post) this.renderRoot.querySelector<HTMLElement>("#back")?.focus({ preventScroll: true });
    });
  }

  private readonly popped = (event: PopStateEvent): void => {
    const post = (event.state as { post?: unknown } | null)?.post;
    this.show(typeof post === "string" ? post : null);
  };

  private readonly looked = (): void => {
    if (document.visibilityState === "visible") this.readAtStart = null;
  };

  private readonly refused = (event: Event): void => {
    this.note = errorText((event as CustomEvent<string>).detail);
  };

  private readonly switched = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.dispatchEvent(new CustomEvent("switch", { detail: value }));
  };
}
