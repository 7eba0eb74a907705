/** What moderators decided, with their reasons. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Home } from "../hub/home";
import type { Action } from "../protocol/bodies";
import { texts, timeAgo, when } from "../texts";
import { HomeController } from "./home-controller";
import { person } from "./people";
import { base } from "./styles";

const PAGE = 50;

@customElement("rw-log")
export class Log extends LitElement {
  static override styles = [
    base,
    css`
      li {
        padding: 0.85rem 0;
        border-bottom: 1px solid var(--line);
        display: grid;
        gap: 0.25rem;
        grid-template-columns: minmax(0, 1fr);
      }
      li:last-child {
        border: 0;
      }
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .said {
        border-inline-start: 3px solid var(--line);
        padding-inline-start: 0.75rem;
      }
      button {
        justify-self: start;
        margin-inline-start: -0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @state() private shown = PAGE;

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult {
    const { store } = this.home.copy.state;
    const keys = store.keys("log").reverse();
    return html`<section class="card stack" aria-labelledby="title">
      <h1 id="title" tabindex="-1">${texts.log.title}</h1>
      <p class="muted">${texts.log.lead}</p>
      ${keys.length
        ? html`<ul>
            ${keys.slice(0, this.shown).map((key) => this.decision(key))}
          </ul>`
        : html`<p>${texts.log.none}</p>`}
      ${keys.length > this.shown ? html`<button @click=${() => (this.shown += PAGE)}>${texts.log.more}</button>` : nothing}
    </section>`;
  }

  private decision(key: string): TemplateResult {
    const { state: hood } = this.home.copy;
    const [action, itemId, moderator, time, record] = hood.store.get("log", key) as [Action, string, string, number, string];
    const body = this.home.copy.record(record)?.body;
    const item = hood.item(itemId);
    const what = (item && texts.log.what[item.type]) ?? texts.log.expired;
    const post = item?.parent ?? item?.id;
    return html`<li>
      <div class="row small">
        <span>${person(this.home, moderator)}</span>
        <span>${texts.log.line(texts.log.actions[action], what)}</span>
        <span class="muted" title=${when(time)}>${timeAgo(time, this.home.clock.now())}</span>
      </div>
      ${body?.kind === "moderation" && body.reason ? html`<p class="said" dir="auto">${body.reason}</p>` : nothing}
      ${post && this.home.copy.record(post) ? html`<button class="quiet small" @click=${() => { this.open(post); }}>${texts.log.open}</button>` : nothing}
    </li>`;
  }

  private open(post: string): void {
    this.dispatchEvent(new CustomEvent("open-post", { detail: post, bubbles: true, composed: true }));
  }
}
