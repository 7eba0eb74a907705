/** The public feed for officers: a search that can be saved, alerts, and posts with their comments. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Home } from "../hub/home";
import { CATEGORIES } from "../protocol/bodies";
import type { Place } from "../protocol/places";
import { maySeeBody } from "../rules/state";
import { categoryName, count, distance, texts } from "../texts";
import { Acting } from "../ui/acting";
import type { Dialogs } from "../ui/dialogs";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Criteria, Desk, SavedSearch } from "./desk";
import { jurisdictionOf } from "./reading";
import { NO_CRITERIA, search } from "./searching";
import { officerStyles } from "./styles";
import { fromField, toField, words } from "./words";
import "../ui/comments";
import "../ui/post";
import "./alert-form";
import "./map/map";

const PAGE = 20;
const RADII_M = [200, 400, 800, 1_600];

@customElement("rw-officer-feed")
export class OfficerFeed extends LitElement {
  static override styles = [
    base,
    officerStyles,
    css`
      .columns {
        display: grid;
        gap: 1rem;
        grid-template-columns: minmax(0, 1fr);
        align-items: start;
      }
      @media (min-width: 56rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr) 20rem;
        }
      }
      .saved li {
        display: flex;
        gap: 0.25rem;
        align-items: center;
      }
      .saved li > button:first-child {
        flex: 1;
        justify-content: flex-start;
        text-align: start;
        overflow-wrap: anywhere;
        min-width: 0;
      }
      .empty {
        text-align: center;
        padding: 3rem 1.25rem;
      }
      summary {
        cursor: pointer;
        font-weight: 600;
        line-height: 44px;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) desk!: Desk;
  @property({ attribute: false }) dialogs!: Dialogs;
  @state() private criteria: Criteria = NO_CRITERIA;
  @state() private saved: SavedSearch[] = [];
  @state() private shown = PAGE;
  @state() private post: string | null = null;
  @state() private alerting = false;
  @state() private done = "";
  private readonly acting = new Acting(
    this,
    () => this.home,
    () => this.dialogs,
  );

  constructor() {
    super();
    new HomeController(this, () => this.home);
    this.addEventListener("open-post", (event) => {
      this.post = (event as CustomEvent<string>).detail;
      scrollTo(0, 0);
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.desk.searches(this.hood).then((saved) => (this.saved = saved));
  }

  private get hood(): string {
    return this.home.membership.neighborhood;
  }

  override render(): TemplateResult {
    if (this.post) return this.one(this.post);
    const found = search(this.home, this.criteria, this.shown + 1);
    const items = found.slice(0, this.shown);
    return html`<div class="stack">
      <div class="row spread">
        <h1 tabindex="-1">${words.feed.title}</h1>
        ${this.alerting ? nothing : html`<button class="primary" id="alert" @click=${() => (this.alerting = true)}>${icon("warning")} ${words.feed.alert}</button>`}
      </div>
      ${this.alerting
        ? html`<rw-alert-form .home=${this.home} .dialogs=${this.dialogs} @done=${() => (this.alerting = false)}></rw-alert-form>`
        : nothing}
      <div class="columns">
        <div class="stack">
          ${this.searchForm()}
          ${items.length
            ? html`<div class="stack" role="feed" aria-label=${words.feed.title}>
                ${repeat(items, (item) => item.id, (item) => html`<rw-post .home=${this.home} .dialogs=${this.dialogs} .item=${item.id}></rw-post>`)}
              </div>`
            : html`<div class="card stack empty">
                <h2>${words.feed.none}</h2>
                <p class="muted">${words.feed.noneLead}</p>
              </div>`}
          ${found.length > items.length ? html`<button id="more" @click=${() => (this.shown += PAGE)}>${texts.feed.more}</button>` : nothing}
        </div>
        ${this.savedSearches()}
      </div>
    </div>`;
  }

  private searchForm(): TemplateResult {
    const t = words.feed;
    const { text, category, near, from, to } = this.criteria;
    const { center, radius_m } = this.home.copy.state.hood;
    const narrowed = near !== null || from !== null || to !== null;
    return html`<search class="card stack">
      <input type="search" id="search" .value=${text} placeholder=${t.search} aria-label="${t.search}. ${t.searchHint}" title=${t.searchHint} maxlength="200" dir="auto" @input=${(event: InputEvent) => { this.set({ text: valueOf(event) }); }} />
      <div class="pair">
        <div class="field">
          <label for="category">${words.alert.category}</label>
          <select id="category" @change=${(event: Event) => { this.set({ category: valueOf(event) || null }); }}>
            <option value="" ?selected=${category === null}>${texts.feed.all}</option>
            ${CATEGORIES.map((one) => html`<option value=${one} ?selected=${one === category}>${categoryName(one)}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="radius">${t.radius}</label>
          <select id="radius" ?disabled=${!near} @change=${(event: Event) => { if (near) this.set({ near: { ...near, radius_m: Number(valueOf(event)) } }); }}>
            ${near ? nothing : html`<option selected>${t.anywhere}</option>`}
            ${RADII_M.map((one) => html`<option value=${one} ?selected=${near?.radius_m === one}>${one} m (${distance(one)})</option>`)}
          </select>
        </div>
      </div>
      <details ?open=${narrowed}>
        <summary>${t.filters}</summary>
        <div class="stack">
          <div class="pair">
            <div class="field"><label for="from">${t.when}: ${t.from}</label><input id="from" type="datetime-local" .value=${from === null ? "" : toField(from)} @change=${(event: Event) => { this.set({ from: fromField(valueOf(event)) }); }} /></div>
            <div class="field"><label for="to">${t.to}</label><input id="to" type="datetime-local" .value=${to === null ? "" : toField(to)} @change=${(event: Event) => { this.set({ to: fromField(valueOf(event)) }); }} /></div>
          </div>
          <p class="small muted">${t.whereHint}</p>
          <rw-map class="low" mode="point" .center=${center} .radius=${radius_m} .jurisdiction=${jurisdictionOf(this.home)} .circle=${near} @place=${this.pointed}></rw-map>
        </div>
      </details>
      <div class="row">
        <span class="muted" role="status">${t.found(count(search(this.home, this.criteria, 1_000).length))}</span>
        ${narrowed || text || category ? html`<button class="quiet" id="reset" @click=${() => { this.set(NO_CRITERIA); }}>${t.reset}</button>` : nothing}
      </div>
    </search>`;
  }

  private savedSearches(): TemplateResult {
    const t = words.feed;
    const precincts = [...new Set(this.saved.map((one) => one.precinct))].sort((a, b) => a.localeCompare(b));
    return html`<aside class="card stack saved" aria-labelledby="saved-title">
      <h2 id="saved-title">${t.saved}</h2>
      <p class="small muted">${this.saved.length ? t.savedLead : t.savedNone}</p>
      ${precincts.map(
        (precinct) => html`<section>
          <h3 class="small muted" dir="auto">${precinct}</h3>
          <ul>
            ${this.saved.filter((one) => one.precinct === precinct).map((one) => this.savedSearch(one))}
          </ul>
        </section>`,
      )}
      <form class="stack" @submit=${this.save}>
        <div class="field"><label for="precinct">${t.precinct}</label><input id="precinct" name="precinct" type="text" maxlength="40" required dir="auto" /></div>
        <div class="field"><label for="name">${t.name}</label><input id="name" name="name" type="text" maxlength="60" required dir="auto" /></div>
        <div class="row"><button>${t.save}</button><span role="status" class="small muted">${this.done}</span></div>
      </form>
    </aside>`;
  }

  private savedSearch(one: SavedSearch): TemplateResult {
    const fresh = search(this.home, one.criteria, 100, one.seen).length;
    return html`<li>
      <button class="quiet" @click=${() => { this.use(one); }}><bdi>${one.name}</bdi> ${fresh ? html`<span class="chip new">${words.feed.newSince(count(fresh))}</span>` : nothing}</button>
      <button class="quiet" aria-label=${words.feed.remove(one.name)} title=${words.feed.remove(one.name)} @click=${() => { this.keep(this.saved.filter((other) => other !== one)); }}>✕</button>
    </li>`;
  }

  private one(id: string): TemplateResult {
    const { home, dialogs } = this;
    const item = home.copy.state.item(id);
    const there = item !== null && home.copy.record(id) !== null && maySeeBody(item, home.me);
    const own = item?.subject === home.me?.id;
    return html`<div class="stack single">
      <div><button class="quiet" id="back" @click=${() => (this.post = null)}>${icon("back")} ${words.feed.back}</button></div>
      ${there
        ? html`<rw-post whole .home=${home} .dialogs=${dialogs} .item=${id}></rw-post>
            ${own
              ? nothing
              : html`<div class="row"><button id="quick" ?disabled=${this.acting.busy || home.isSending} @click=${() => this.acting.comment(id, words.feed.quickText)}>${icon("comment")} ${words.feed.quick}</button></div>`}
            ${this.acting.error ? html`<p class="error small" role="alert">${this.acting.error}</p>` : nothing}
            <rw-comments .home=${home} .dialogs=${dialogs} .post=${id}></rw-comments>`
        : html`<div class="card stack">
            <h1>${texts.post.notThere}</h1>
            <p class="muted">${texts.post.notThereLead}</p>
          </div>`}
    </div>`;
  }

  private set(more: Partial<Criteria>): void {
    this.criteria = { ...this.criteria, ...more };
    this.shown = PAGE;
    this.done = "";
  }

  private readonly pointed = (event: CustomEvent<Place>): void => {
    this.set({ near: { place: event.detail, radius_m: this.criteria.near?.radius_m ?? 400 } });
  };

  private readonly save = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const text = (name: string): string => {
      const value = data.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    const seen = this.home.copy.state.position.number;
    this.keep([...this.saved, { id: crypto.randomUUID(), precinct: text("precinct"), name: text("name"), criteria: this.criteria, seen }]);
    form.reset();
    this.done = words.feed.savedDone;
  };

  private use(one: SavedSearch): void {
    this.set(one.criteria);
    const seen = this.home.copy.state.position.number;
    this.keep(this.saved.map((other) => (other === one ? { ...one, seen } : other)));
  }

  private keep(saved: SavedSearch[]): void {
    this.saved = saved;
    void this.desk.keepSearches(this.hood, saved);
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}
