/** Footage requests: the list, one of them, and a new one. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { NotSent, type Home } from "../hub/home";
import { OUTCOMES } from "../protocol/bodies-requests";
import type { Json } from "../protocol/canonical";
import type { Type } from "../protocol/types";
import { areaM2 } from "../protocol/geometry";
import { count, span, when } from "../texts";
import type { Dialogs } from "../ui/dialogs";
import { facts, factStyles } from "../ui/facts";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Desk } from "./desk";
import { jurisdictionOf, readRequests, type RequestView } from "./reading";
import { officerStyles } from "./styles";
import { codeText, squareKm, words } from "./words";
import "./map/map";
import "./request-form";

@customElement("rw-requests")
export class Requests extends LitElement {
  static override styles = [
    base,
    officerStyles,
    factStyles,
    css`
      .one {
        width: 100%;
        display: grid;
        gap: 0.25rem;
        justify-items: start;
        text-align: start;
        border-radius: 16px;
        font-weight: 400;
        grid-template-columns: minmax(0, 1fr);
      }
      .one strong {
        overflow-wrap: anywhere;
      }
      .empty {
        text-align: center;
        padding: 3rem 1.25rem;
        justify-items: center;
      }
      dialog select {
        margin-block: 0.5rem;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) desk!: Desk;
  @property({ attribute: false }) dialogs!: Dialogs;
  @state() private chosen: string | null = null;
  @state() private writing = false;
  @state() private sent = false;
  @state() private busy = false;
  @state() private error = "";
  @state() private deliveries = new Map<string, number>();

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.desk.deliveries(this.home.membership.neighborhood).then((known) => {
      const counted = new Map<string, number>();
      for (const { request } of known) counted.set(request, (counted.get(request) ?? 0) + 1);
      this.deliveries = counted;
    });
  }

  override render(): TemplateResult {
    const t = words.requests;
    const all = readRequests(this.home);
    const chosen = all.find(({ row }) => row.id === this.chosen);
    if (this.writing) return html`<rw-request-form .home=${this.home} .dialogs=${this.dialogs} @done=${this.written}></rw-request-form>`;
    if (chosen) return this.one(chosen);
    const [own, others] = [all.filter((view) => view.own), all.filter((view) => !view.own)];
    return html`<div class="stack">
      <div class="row spread">
        <h1 tabindex="-1">${t.title}</h1>
        <button class="primary" id="new" @click=${() => { this.writing = true; this.sent = false; }}>${t.create}</button>
      </div>
      ${this.sent ? html`<p class="note" role="status">${icon("time")}<span>${words.form.sent}</span></p>` : nothing}
      <p class="muted">${t.lead}</p>
      ${own.length
        ? html`<ul class="stack" aria-label=${t.own}>
            ${own.map((view) => this.line(view))}
          </ul>`
        : html`<div class="card stack empty">
            <h2>${t.none}</h2>
            <p class="muted">${t.noneLead}</p>
          </div>`}
      ${others.length
        ? html`<h2>${t.others}</h2>
            <ul class="stack">
              ${others.map((view) => this.line(view))}
            </ul>`
        : nothing}
    </div>`;
  }

  private line(view: RequestView): TemplateResult {
    const t = words.requests;
    const { row, status, details } = view;
    const incident = t.incidents[row.incident ?? ""] ?? "";
    const arrived = this.deliveries.get(row.id) ?? 0;
    return html`<li>
      <button class="card one" data-request=${row.id} @click=${() => (this.chosen = row.id)}>
        <span class="row"><span class="chip ${status === "open" ? "new" : ""}">${t.status[status]}</span> ${view.own ? nothing : html`<bdi class="small muted">${view.agency}</bdi>`}${this.availability(view)} ${arrived ? html`<span class="chip">${t.deliveries(count(arrived))}</span>` : nothing}</span>
        <strong dir="auto">${details ? `${incident}, ${details.caseNumber}` : incident}</strong>
        <span class="small muted">${span(row.start, row.end)} · ${t.areaValue(squareKm(areaM2(row.area)))}</span>
      </button>
    </li>`;
  }

  private availability({ row }: RequestView): TemplateResult | typeof nothing {
    if (!row.asks || (row.answer === null && row.closed !== null)) return nothing;
    return html`<span class="chip ${row.answer === "likely" ? "new" : ""}">${words.requests.availabilityAnswer[row.answer ?? "asked"]}</span>`;
  }

  private one(view: RequestView): TemplateResult {
    const t = words.requests;
    const { row, status, details } = view;
    const { center, radius_m } = this.home.copy.state.hood;
    const rows: [string, TemplateResult | string][] = [
      [t.incident, t.incidents[row.incident ?? ""] ?? ""],
      [t.window, span(row.start, row.end)],
      [t.area, t.areaValue(squareKm(areaM2(row.area)))],
      [t.officer, html`<bdi>${view.officer}</bdi>, <bdi>${view.agency}</bdi>`],
      [t.asked, when(row.time)],
    ];
    if (status === "open" || status === "held") rows.push([t.ends, when(row.expires)]);
    if (status === "pending") rows.push([t.endsPending, when(row.expires)]);
    if (row.outcome !== null) rows.push([t.outcome, `${t.outcomes[row.outcome] ?? t.status[status] ?? ""}${row.closed === null ? "" : `, ${when(row.closed)}`}`]);
    if (row.asks) rows.push([t.availability, answerText(row)]);
    return html`<div class="stack">
      <div><button class="quiet" id="back" @click=${() => (this.chosen = null)}>${icon("back")} ${t.back}</button></div>
      <section class="card stack">
        <div class="row spread">
          <h1 tabindex="-1" dir="auto">${details ? details.caseNumber : (t.incidents[row.incident ?? ""] ?? "")}</h1>
          <span class="chip ${status === "open" ? "new" : ""}" id="status">${t.status[status]}</span>
        </div>
        ${t.statusHint[status] ? html`<p class="note ${status === "pending" ? "" : "bad"}">${icon("time")}<span>${t.statusHint[status]}</span></p>` : nothing}
        ${view.reason === null ? nothing : html`<p class="note bad" id="reason">${icon("warning")}<span>${t.reason}: <span class="said" dir="auto">${view.reason}</span></span></p>`}
        ${facts(rows)}
        ${details
          ? html`${facts([
                [t.purpose, details.purpose],
                [t.contact, details.contact],
              ])}
              ${details.description ? html`<p class="said" dir="auto">${details.description}</p>` : nothing}`
          : html`<p class="muted">${view.erased ? t.erased : t.withheld}</p>`}
        ${this.actions(view)} ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
        <rw-map .center=${center} .radius=${radius_m} .jurisdiction=${jurisdictionOf(this.home)} .corners=${row.area}></rw-map>
      </section>
    </div>`;
  }

  private actions({ row, status, own }: RequestView): TemplateResult | typeof nothing {
    const t = words.requests;
    if (!own || row.closed !== null) return nothing;
    const blocked = this.busy || this.home.isSending;
    const open = status === "open";
    return html`<div class="row">
        ${open && row.extended === null ? html`<button ?disabled=${blocked} @click=${() => { this.show("extension"); }}>${t.extend}</button>` : nothing}
        ${open && row.reminded === null ? html`<button ?disabled=${blocked} @click=${() => { this.show("reminder"); }}>${t.remind}</button>` : nothing}
        <button ?disabled=${blocked} @click=${() => { this.show("close"); }}>${t.close}</button>
        ${row.extended === null ? nothing : html`<span class="small muted">${t.extended}</span>`}
        ${row.reminded === null ? nothing : html`<span class="small muted">${t.reminded(when(row.reminded))}</span>`}
      </div>
      ${this.question("extension", t.extendTitle, t.extendLead, t.yes, t.no, row.id, nothing)}
      ${this.question("reminder", t.remindTitle, t.remindLead, t.yes, t.no, row.id, nothing)}
      ${this.question(
        "close",
        t.closeTitle,
        t.closeLead,
        t.closeDo,
        t.closeCancel,
        row.id,
        html`<label for="outcome">${t.outcome}</label>
          <select id="outcome" name="outcome">
            ${OUTCOMES.map((outcome) => html`<option value=${outcome}>${t.outcomes[outcome]}</option>`)}
          </select>`,
      )}`;
  }

  private question(type: Type, title: string, lead: string, does: string, cancel: string, request: string, inside: TemplateResult | typeof nothing): TemplateResult {
    return html`<dialog id=${type} aria-labelledby="${type}-title">
      <form class="stack" @submit=${(event: SubmitEvent) => this.follow(event, type, request)}>
        <h2 id="${type}-title">${title}</h2>
        <p class="muted">${lead}</p>
        ${inside}
        <div class="row">
          <button type="button" class="quiet" @click=${(event: Event) => { (event.target as HTMLElement).closest("dialog")?.close(); }}>${cancel}</button>
          <button class="primary">${does}</button>
        </div>
      </form>
    </dialog>`;
  }

  private show(name: string): void {
    this.error = "";
    this.renderRoot.querySelector<HTMLDialogElement>(`#${name}`)?.showModal();
  }

  private async follow(event: SubmitEvent, type: Type, request: string): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const outcome = new FormData(form).get("outcome");
    const body: Json = typeof outcome === "string" ? { request, outcome } : { request };
    form.closest("dialog")?.close();
    this.busy = true;
    try {
      await this.home.submit(type, body);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      this.error = codeText(error.code);
    } finally {
      this.busy = false;
    }
  }

  private readonly written = (event: CustomEvent<boolean>): void => {
    this.writing = false;
    this.sent = event.detail;
    scrollTo(0, 0);
  };
}

function answerText({ answer, closed }: RequestView["row"]): string {
  const t = words.requests;
  if (answer === null) return closed === null ? t.availabilityNotYet : t.availabilityNever;
  return t.availabilityAnswer[answer] ?? "";
}
