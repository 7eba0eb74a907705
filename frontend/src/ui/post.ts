/** One post or alert, in the feed or on its own with its comments. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Home } from "../hub/home";
import type { BodyOf } from "../protocol/bodies";
import { KEPT_BACK, openAppeal, statusOf, type Item } from "../rules/rows";
import { categoryName, count, span, texts, timeAgo, when, whereabouts } from "../texts";
import { Acting } from "./acting";
import type { Dialogs } from "./dialogs";
import { HomeController } from "./home-controller";
import { icon } from "./icons";
import { person } from "./people";
import { base } from "./styles";
import "./media";

@customElement("rw-post")
export class PostView extends LitElement {
  static override styles = [
    base,
    css`
      article {
        display: grid;
        gap: 0.75rem;
        grid-template-columns: minmax(0, 1fr);
      }
      article.alert {
        border-inline-start: 6px solid var(--danger);
      }
      h2 button {
        all: unset;
        cursor: pointer;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      h2 button:focus-visible {
        outline: 3px solid var(--focus);
        outline-offset: 2px;
        border-radius: 4px;
      }
      h2 button:hover {
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .top {
        justify-content: space-between;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1rem;
      }
      .facts > span {
        display: inline-flex;
        gap: 0.35rem;
        align-items: center;
      }
      .facts svg {
        width: 16px;
        height: 16px;
      }
      .name {
        font-weight: 600;
        color: var(--text);
        overflow-wrap: anywhere;
      }
      .clamped {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 6;
        overflow: hidden;
      }
      .actions {
        margin: 0 -0.5rem -0.5rem;
        gap: 0.15rem;
      }
      .actions .space {
        flex: 1;
      }
      @media (max-width: 30rem) {
        .actions .quiet {
          padding-inline: 0.45rem;
          gap: 0.35rem;
          font-size: 0.9375rem;
        }
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.5rem 0.75rem;
        border-radius: 10px;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  @property() item = "";
  @property({ type: Boolean }) whole = false;
  @property({ type: Boolean }) fresh = false;
  private readonly acting = new Acting(
    this,
    () => this.home,
    () => this.dialogs,
  );

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult | typeof nothing {
    const item = this.home.copy.state.item(this.item);
    const body = this.home.copy.record(this.item)?.body;
    if (!item || (body?.kind !== "post" && body?.kind !== "alert")) return nothing;
    const status = statusOf(item);
    return html`<article class="card ${body.kind}" aria-labelledby="title">
      <div class="row top">
        <span class="row">
          ${body.kind === "alert" ? html`<span class="chip alert">${icon("warning")} ${texts.post.alert}</span>` : nothing}
          <span class="chip">${icon(body.category)} ${categoryName(body.category)}</span>
          ${this.fresh ? html`<span class="chip new">${texts.feed.isNew}</span>` : nothing}
        </span>
      </div>
      <h2 id="title" dir="auto">${this.whole ? html`<span class="said">${body.title}</span>` : html`<button @click=${this.open}>${body.title}</button>`}</h2>
      ${this.facts(item, body)}
      ${KEPT_BACK.has(status) ? html`<p class="note small">${icon("warning")}<span>${texts.post.status[status]}</span></p>` : nothing}
      ${body.text ? html`<p class="said ${this.whole ? "" : "clamped"}" dir="auto">${body.text}</p>` : nothing}
      <rw-media-list .home=${this.home} .media=${item.media} ?gone=${item.mediaGone} .name=${body.title}></rw-media-list>
      ${this.actions(item)}
      ${this.acting.error ? html`<p class="error small" role="alert">${this.acting.error}</p>` : nothing}
    </article>`;
  }

  private facts(item: Item, body: BodyOf<"post"> | BodyOf<"alert">): TemplateResult {
    const now = this.home.clock.now();
    const { center } = this.home.copy.state.hood;
    return html`<div class="facts small muted">
      <span>${person(this.home, item.subject)}</span>
      <span title=${when(item.time)}>${texts.post.posted(timeAgo(item.time, now))}</span>
      <span>${icon("time")}<span class="away">${texts.post.happened}</span> ${span(body.from, body.to)}</span>
      ${body.place ? html`<span>${icon("place")} ${whereabouts(center, body.place)}</span>` : nothing}
      ${body.kind === "alert"
        ? html`<strong>${body.validUntil > now ? texts.post.validUntil(when(body.validUntil)) : texts.post.noLonger}</strong>`
        : nothing}
    </div>`;
  }

  private actions(item: Item): TemplateResult {
    const { state } = this.home.copy;
    const me = this.home.me?.id ?? "";
    const mine = item.subject === me;
    const visible = statusOf(item) === "visible";
    const thanked = state.once("thanks", item.id, me);
    const flagged = state.once("flag", item.id, me);
    const blocked = this.acting.busy || this.home.isSending || !visible;
    return html`<div class="row actions">
      <button
        class="quiet"
        id="thank"
        aria-pressed=${thanked ? "true" : "false"}
        ?disabled=${blocked || mine || thanked}
        aria-label="${thanked ? texts.post.thanked : texts.post.thank}, ${texts.post.thanksCount(item.thanks)}"
        @click=${() => this.acting.thank(item.id)}
      >
        ${icon("thanks")} ${thanked ? texts.post.thanked : texts.post.thank} ${item.thanks ? html`<span id="thanks">${count(item.thanks)}</span>` : nothing}
      </button>
      ${this.whole ? nothing : html`<button class="quiet" id="comments" @click=${this.open}>${icon("comment")} ${texts.post.comments(item.comments)}</button>`}
      <span class="space"></span>
      ${mine
        ? html`${KEPT_BACK.has(statusOf(item))
              ? html`<button class="quiet" ?disabled=${this.acting.busy || openAppeal(item)} @click=${() => this.acting.appeal(item.id)}>
                  ${openAppeal(item) ? texts.post.appealed : texts.post.appeal}
                </button>`
              : nothing}<button class="quiet" ?disabled=${this.acting.busy} @click=${() => this.acting.withdraw(item.id)}>
              ${icon("undo")} ${texts.post.withdraw}
            </button>`
        : this.home.me?.kind !== "member"
          ? nothing // officers don't flag
          : html`<button class="quiet" id="flag" aria-pressed=${flagged ? "true" : "false"} ?disabled=${blocked || flagged} @click=${() => this.acting.flag(item.id)}>
            ${icon("flag")} ${flagged ? texts.post.flagged : texts.post.flag}
          </button>`}
    </div>`;
  }

  private readonly open = (): void => {
    this.dispatchEvent(new CustomEvent("open-post", { detail: this.item, bubbles: true, composed: true }));
  };
}
