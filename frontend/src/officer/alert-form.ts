/** Writing an alert: everybody in the neighborhood reads it. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { NotSent, type Home } from "../hub/home";
import { CATEGORIES } from "../protocol/bodies";
import { snap, type Place } from "../protocol/places";
import { clean } from "../protocol/text";
import { RecordViolation } from "../protocol/violations";
import { categoryName } from "../texts";
import type { Dialogs } from "../ui/dialogs";
import { findPrivate } from "../ui/hints";
import { base } from "../ui/styles";
import { jurisdictionOf } from "./reading";
import { officerStyles } from "./styles";
import { codeText, fromField, toField, words } from "./words";
import "./map/map";

const MAX_TITLE = 120;
const MAX_TEXT = 4_000;
const HOLDS_S = 86_400; // unless the officer says otherwise
const MARK_M = 100; // half of a cell: what the place stands for

@customElement("rw-alert-form")
export class AlertForm extends LitElement {
  static override styles = [base, officerStyles];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  @state() private place: Place | null = null;
  @state() private busy = false;
  @state() private error = "";

  override render(): TemplateResult {
    const t = words.alert;
    const now = this.home.clock.now();
    const { center, radius_m } = this.home.copy.state.hood;
    return html`<form class="card stack" @submit=${this.submitted} aria-labelledby="title">
      <h2 id="title">${t.title}</h2>
      <p class="muted">${t.lead}</p>
      <div class="field">
        <label for="category">${t.category}</label>
        <select id="category" name="category" required>
          ${CATEGORIES.map((one) => html`<option value=${one} ?selected=${one === "safety"}>${categoryName(one)}</option>`)}
        </select>
      </div>
      <div class="field"><label for="headline">${t.headline}</label><input id="headline" name="title" type="text" maxlength=${MAX_TITLE} required dir="auto" /></div>
      <div class="field"><label for="text">${t.text}</label><textarea id="text" name="text" maxlength=${MAX_TEXT} dir="auto"></textarea></div>
      <div class="pair">
        <div class="field"><label for="from">${t.from}</label><input id="from" name="from" type="datetime-local" required value=${toField(now - 3_600)} /></div>
        <div class="field"><label for="to">${t.to}</label><input id="to" name="to" type="datetime-local" required value=${toField(now)} /></div>
        <div class="field"><label for="valid">${t.validUntil}</label><input id="valid" name="valid" type="datetime-local" required value=${toField(now + HOLDS_S)} /></div>
      </div>
      <div class="field">
        <span><strong>${t.place}</strong> <span class="small muted">${t.placeHint}</span></span>
        <rw-map class="low" mode="point" .center=${center} .radius=${radius_m} .jurisdiction=${jurisdictionOf(this.home)} .circle=${this.place && { place: this.place, radius_m: MARK_M }} @place=${this.pointed}></rw-map>
        ${this.place ? html`<div><button type="button" class="quiet" @click=${() => (this.place = null)}>${t.placeNone}</button></div>` : nothing}
      </div>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <div class="row">
        <button class="primary" ?disabled=${this.busy || this.home.isSending}>${this.busy ? t.sending : t.send}</button>
        <button type="button" class="quiet" @click=${this.done}>${t.cancel}</button>
      </div>
    </form>`;
  }

  private readonly pointed = (event: CustomEvent<Place>): void => {
    try {
      this.place = snap(event.detail);
    } catch (error) {
      if (!(error instanceof RecordViolation)) throw error;
      this.error = codeText(error.code); // at a pole
    }
  };

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const read = (name: string): string => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    const [from, to, validUntil] = ["from", "to", "valid"].map((name) => fromField(read(name)) ?? 0) as [number, number, number];
    const title = clean(read("title"), MAX_TITLE, false);
    const text = clean(read("text"), MAX_TEXT, true);
    const hints = findPrivate(`${title}\n${text}`);
    if (hints.length && !(await this.dialogs.hints(hints))) return;
    const place = this.place && { ...this.place };
    this.busy = true;
    this.error = "";
    try {
      await this.home.submit("alert", { category: read("category"), title, text, place, happened: { from, to }, media: [], valid_until: validUntil });
      this.done();
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      if (error.code === "waiting") this.done();
      else this.error = codeText(error.code);
    } finally {
      this.busy = false;
    }
  };

  private readonly done = (): void => {
    this.dispatchEvent(new CustomEvent("done"));
  };
}
