/** Questions before something is sent. Each resolves to the answer, or to null if it was closed. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { FLAG_REASONS, MAX_REASON, type FlagReason } from "../protocol/bodies";
import { texts } from "../texts";
import { icon } from "./icons";
import type { Hint } from "./hints";
import { base } from "./styles";

interface Question {
  title: string;
  lead: string;
  send: string;
  cancel: string;
  danger: boolean;
  inside: TemplateResult | typeof nothing;
}

@customElement("rw-dialogs")
export class Dialogs extends LitElement {
  static override styles = [
    base,
    css`
      fieldset {
        border: 0;
        margin: 0;
        padding: 0;
      }
      form {
        display: grid;
        gap: 1rem;
      }
      li {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @state() private question: Question | null = null;
  private answer: ((form: FormData | null) => void) | null = null;

  async flag(): Promise<{ reason: FlagReason; text: string } | null> {
    const { title, lead, send, cancel, reasons, text } = texts.flag;
    const inside = html`
      <fieldset>
        <legend class="away">${title}</legend>
        ${FLAG_REASONS.map(
          (reason) =>
            html`<label class="choice"><input type="radio" name="reason" value=${reason} required />${reasons[reason]}</label>`,
        )}
      </fieldset>
      <div class="field">
        <label for="text">${text}</label>
        <textarea id="text" name="text" maxlength=${MAX_REASON} dir="auto"></textarea>
      </div>
    `;
    const form = await this.ask({ title, lead, send, cancel, danger: true, inside });
    const reason = FLAG_REASONS.find((one) => one === form?.get("reason"));
    return form && reason ? { reason, text: textOf(form) } : null;
  }

  async withdraw(): Promise<boolean> {
    return (await this.ask({ ...texts.withdraw, danger: true, inside: nothing })) !== null;
  }

  async leave(): Promise<boolean> {
    const { leave, leaveLead, leaveDo, leaveCancel } = texts.about;
    const question: Question = { title: leave, lead: leaveLead, send: leaveDo, cancel: leaveCancel, danger: true, inside: nothing };
    return (await this.ask(question)) !== null;
  }

  async appeal(): Promise<string | null> {
    const { label, ...rest } = texts.appeal;
    const inside = html`<div class="field">
      <label for="text">${label}</label>
      <textarea id="text" name="text" maxlength=${MAX_REASON} dir="auto" required></textarea>
    </div>`;
    const form = await this.ask({ ...rest, lead: "", danger: false, inside });
    return form && textOf(form);
  }

  async hints(found: Hint[]): Promise<boolean> {
    const { title, lead, send, cancel, kinds } = texts.hints;
    const inside = html`<ul>
      ${found.map((hint) => html`<li>${kinds[hint.kind]}: <strong><bdi>${hint.text}</bdi></strong></li>`)}
    </ul>`;
    return (await this.ask({ title, lead, send, cancel, danger: false, inside })) !== null;
  }

  override render(): TemplateResult {
    const { question } = this;
    return html`<dialog aria-labelledby="title" @close=${this.closed}>
      ${question
        ? html`<form @submit=${this.submitted}>
            <h2 id="title">${question.title}</h2>
            ${question.lead ? html`<p class="muted">${question.lead}</p>` : nothing} ${question.inside}
            <div class="row">
              <button type="button" class="quiet" @click=${this.close}>${question.cancel}</button>
              <button class=${question.danger ? "danger" : "primary"}>
                ${question.danger ? icon("warning") : nothing} ${question.send}
              </button>
            </div>
          </form>`
        : nothing}
    </dialog>`;
  }

  private async ask(question: Question): Promise<FormData | null> {
    this.answer?.(null);
    this.question = question;
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog");
    dialog?.querySelector("form")?.reset();
    return new Promise((resolve) => {
      this.answer = resolve;
      dialog?.showModal();
    });
  }

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    this.finish(new FormData(event.target as HTMLFormElement));
  };

  private readonly closed = (): void => {
    this.finish(null);
  };

  private readonly close = (): void => {
    this.renderRoot.querySelector("dialog")?.close();
  };

  private finish(form: FormData | null): void {
    const { answer } = this;
    this.answer = null;
    answer?.(form);
    this.close();
    this.question = null;
  }
}

function textOf(form: FormData): string {
  const text = form.get("text");
  return typeof text === "string" ? text : "";
}
