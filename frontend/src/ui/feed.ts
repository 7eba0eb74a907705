/** The feed: newest first, by category and by words. What is searched is here, so nothing about it is sent. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Home } from "../hub/home";
import { CATEGORIES, type Category } from "../protocol/bodies";
import type { Item } from "../rules/rows";
import { maySeeBody } from "../rules/state";
import { categoryName, days, texts } from "../texts";
import type { Dialogs } from "./dialogs";
import { HomeController } from "./home-controller";
import { icon } from "./icons";
import { base } from "./styles";
import "./post";
import "./requests";

const PAGE = 20;
const SEEN_SHARE = 0.5; // of a post on the screen, and then it counts as read

@customElement("rw-feed")
export class Feed extends LitElement {
  static override styles = [
    base,
    css`
      .filters {
        display: flex;
        gap: 0.4rem;
        overflow-x: auto;
        padding: 3px;
        margin: -3px;
        scrollbar-width: thin;
      }
      @media (min-width: 48rem) {
        .filters {
          flex-wrap: wrap;
        }
      }
      .filters button {
        white-space: nowrap;
        padding: 0.4rem 0.85rem;
        font-weight: 500;
      }
      .filters button[aria-pressed="true"] {
        background: var(--accent);
        color: var(--on-accent);
      }
      .empty {
        text-align: center;
        padding: 3rem 1.25rem;
        justify-items: center;
      }
      .empty svg {
        width: 48px;
        height: 48px;
        color: var(--muted);
      }
      .end {
        text-align: center;
        padding-block: 0.5rem 2rem;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  @property({ type: Number }) readBefore = 0;
  @state() private words = "";
  @state() private category: Category | null = null;
  @state() private shown = PAGE;
  private readonly seen = new IntersectionObserver(this.onSeen.bind(this), { threshold: SEEN_SHARE });
  private readonly nearEnd = new IntersectionObserver(this.onNearEnd.bind(this), { rootMargin: "600px" });

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.seen.disconnect();
    this.nearEnd.disconnect();
  }

  override render(): TemplateResult {
    const found = this.find(this.shown + 1);
    const items = found.slice(0, this.shown);
    const filtered = this.words.trim() !== "" || this.category !== null;
    return html`<div class="stack">
      <h1 class="away">${texts.feed.title}</h1>
      <search class="stack">
        <input
          type="search"
          id="search"
          .value=${this.words}
          placeholder=${texts.feed.search}
          aria-label="${texts.feed.search}. ${texts.feed.searchHint}"
          title=${texts.feed.searchHint}
          maxlength="200"
          dir="auto"
          @input=${this.search}
        />
        <div class="filters" role="group" aria-label=${texts.feed.categories}>
          ${this.filter(null, texts.feed.all)} ${CATEGORIES.map((one) => this.filter(one, categoryName(one)))}
        </div>
      </search>
      ${filtered ? nothing : html`<rw-requests-public .home=${this.home} .dialogs=${this.dialogs}></rw-requests-public>`}
      ${items.length ? this.list(items) : this.empty(filtered)}
      ${found.length > items.length
        ? html`<button id="more" @click=${this.more}>${texts.feed.more}</button>`
        : items.length && !filtered
          ? html`<p class="end small muted">${texts.feed.end(days(this.home.copy.state.hood.post_days))}</p>`
          : nothing}
    </div>`;
  }

  private list(items: Item[]): TemplateResult {
    return html`<div class="stack" role="feed" aria-label=${texts.feed.title}>
      ${repeat(
        items,
        (item) => item.id,
        (item) => html`<rw-post
          .home=${this.home}
          .dialogs=${this.dialogs}
          .item=${item.id}
          ?fresh=${item.number > this.readBefore && item.subject !== this.home.me?.id}
        ></rw-post>`,
      )}
    </div>`;
  }

  private empty(filtered: boolean): TemplateResult {
    const { empty, emptyLead, nothing: none, nothingLead, clear } = texts.feed;
    return html`<div class="card stack empty">
      ${icon(filtered ? "lost_and_found" : "house")}
      <h2>${filtered ? none : empty}</h2>
      <p class="muted">${filtered ? nothingLead : emptyLead}</p>
      ${filtered ? html`<button @click=${this.clear}>${clear}</button>` : nothing}
    </div>`;
  }

  private filter(category: Category | null, name: string): TemplateResult {
    return html`<button
      aria-pressed=${this.category === category ? "true" : "false"}
      @click=${() => {
        this.category = category;
        this.shown = PAGE;
      }}
    >
      ${category ? icon(category) : nothing} ${name}
    </button>`;
  }

  protected override updated(): void {
    this.renderRoot.querySelectorAll("rw-post").forEach((post) => {
      this.seen.observe(post);
    });
    const more = this.renderRoot.querySelector("#more");
    this.nearEnd.disconnect();
    if (more) this.nearEnd.observe(more);
  }

  private find(limit: number): Item[] {
    const { state: hood } = this.home.copy;
    const words = folded(this.words).split(/\s+/).filter(Boolean);
    const found: Item[] = [];
    const keys = hood.store.keys("feed");
    for (let at = keys.length - 1; at >= 0 && found.length < limit; at--) {
      const item = hood.item(hood.store.get("feed", keys[at] ?? "") as string);
      if (!item?.known || !maySeeBody(item, this.home.me)) continue;
      if (this.category && item.category !== this.category) continue;
      if (words.length && !this.fits(item, words)) continue;
      found.push(item);
    }
    return found;
  }

  private fits(item: Item, words: string[]): boolean {
    const body = this.home.copy.record(item.id)?.body;
    if (body?.kind !== "post" && body?.kind !== "alert") return false;
    const author = this.home.copy.state.subject(item.subject)?.name ?? "";
    const text = folded(`${body.title}\n${body.text}\n${author}\n${categoryName(body.category)}`);
    return words.every((word) => text.includes(word));
  }

  private readonly search = (event: InputEvent): void => {
    this.words = (event.target as HTMLInputElement).value;
    this.shown = PAGE;
  };

  private readonly clear = (): void => {
    this.words = "";
    this.category = null;
  };

  private readonly more = (): void => {
    this.shown += PAGE;
  };

  private onNearEnd(entries: IntersectionObserverEntry[]): void {
    if (entries.some((entry) => entry.isIntersecting)) this.more();
  }

  private onSeen(entries: IntersectionObserverEntry[]): void {
    if (document.visibilityState !== "visible") return;
    const numbers = entries
      .filter((entry) => entry.isIntersecting)
      .map((entry) => this.home.copy.state.item((entry.target as HTMLElement & { item: string }).item)?.number ?? 0);
    if (numbers.length) void this.home.markRead(Math.max(...numbers));
  }
}

/** Without accents and capitals, for searching. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
}
