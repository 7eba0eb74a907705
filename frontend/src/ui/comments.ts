/** The comments below a post, and the field for one's own. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Home } from "../hub/home";
import { MAX_COMMENT } from "../protocol/bodies";
import { textLength } from "../protocol/text";
import { KEPT_BACK, openAppeal, statusOf, type Item } from "../rules/rows";
import { maySeeBody } from "../rules/state";
import { count, texts, timeAgo, when } from "../texts";
import { Acting } from "./acting";
import type { Dialogs } from "./dialogs";
import { HomeController } from "./home-controller";
import { icon } from "./icons";
import { person } from "./people";
import { base } from "./styles";

const NEARLY_FULL = 200;

@customElement("rw-comments")
export class Comments extends LitElement {
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
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .actions {
        margin-inline: -0.75rem;
        gap: 0;
      }
      form {
        display: grid;
        gap: 0.5rem;
      }
      form .row {
        justify-content: space-between;
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
  @property() post = "";
  @state() private typed = "";
  private readonly acting = new Acting(
    this,
    () => this.home,
    () => this.dialogs,
  );

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult {
    const { state: hood } = this.home.copy;
    const items = hood
      .below(this.post)
      .map(({ type, id }) => (type === "comment" ? hood.item(id) : null))
      .filter((item): item is Item => item?.known === true && maySeeBody(item, this.home.me));
    const parent = hood.item(this.post);
    const open = parent !== null && statusOf(parent) === "visible";
    return html`<section class="card stack" aria-labelledby="title">
      <h2 id="title">${texts.comments.title}</h2>
      ${items.length
        ? html`<ul>
            ${repeat(items, (item) => item.id, (item) => this.comment(item))}
          </ul>`
        : html`<p class="muted">${texts.comments.none}</p>`}
      ${open ? this.form() : nothing}
      ${this.acting.error ? html`<p class="error small" role="alert">${this.acting.error}</p>` : nothing}
    </section>`;
  }

  private comment(item: Item): TemplateResult | typeof nothing {
    const body = this.home.copy.record(item.id)?.body;
    if (body?.kind !== "comment") return nothing;
    const { state: hood } = this.home.copy;
    const me = this.home.me?.id ?? "";
    const status = statusOf(item);
    const thanked = hood.once("thanks", item.id, me);
    const flagged = hood.once("flag", item.id, me);
    const blocked = this.acting.busy || this.home.isSending || status !== "visible";
    return html`<li data-id=${item.id}>
      <div class="row small muted">
        <span>${person(this.home, item.subject)}</span>
        <span title=${when(item.time)}>${timeAgo(item.time, this.home.clock.now())}</span>
      </div>
      ${KEPT_BACK.has(status) ? html`<p class="note small">${icon("warning")}<span>${texts.post.status[status]}</span></p>` : nothing}
      <p class="said" dir="auto">${body.text}</p>
      <div class="row actions small">
        ${item.subject === me
          ? html`<button class="quiet" ?disabled=${this.acting.busy} @click=${() => this.acting.withdraw(item.id)}>
                ${icon("undo")} ${texts.post.withdraw}
              </button>
              ${KEPT_BACK.has(status)
                ? html`<button class="quiet" ?disabled=${this.acting.busy || openAppeal(item)} @click=${() => this.acting.appeal(item.id)}>
                    ${openAppeal(item) ? texts.post.appealed : texts.post.appeal}
                  </button>`
                : nothing}`
          : html`<button
                class="quiet"
                aria-pressed=${thanked ? "true" : "false"}
                aria-label="${thanked ? texts.post.thanked : texts.post.thank}, ${texts.post.thanksCount(item.thanks)}"
                ?disabled=${blocked || thanked}
                @click=${() => this.acting.thank(item.id)}
              >
                ${icon("thanks")} ${thanked ? texts.post.thanked : texts.post.thank} ${item.thanks ? count(item.thanks) : nothing}
              </button>
              ${this.home.me?.kind === "member" // officers don't flag
                ? html`<button class="quiet" aria-pressed=${flagged ? "true" : "false"} ?disabled=${blocked || flagged} @click=${() => this.acting.flag(item.id)}>
                    ${icon("flag")} ${flagged ? texts.post.flagged : texts.post.flag}
                  </button>`
                : nothing}`}
      </div>
    </li>`;
  }

  private form(): TemplateResult {
    const left = MAX_COMMENT - textLength(this.typed);
    const blocked = this.acting.busy || this.home.isSending || left < 0 || !this.typed.trim();
    return html`<form @submit=${this.submitted}>
      <label for="comment">${texts.comments.label}</label>
      <textarea id="comment" dir="auto" .value=${this.typed} @input=${this.input} aria-describedby="left"></textarea>
      <div class="row">
        <span id="left" class="small muted">${left < NEARLY_FULL ? texts.comments.left(left) : nothing}</span>
        <button class="primary" ?disabled=${blocked}>${this.acting.busy ? texts.comments.sending : texts.comments.send}</button>
      </div>
    </form>`;
  }

  private readonly input = (event: InputEvent): void => {
    this.typed = (event.target as HTMLTextAreaElement).value;
  };

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (await this.acting.comment(this.post, this.typed)) this.typed = "";
  };
}
