/** Deliveries to the agency: the list, and one of them. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import type { Home } from "../hub/home";
import { HubViolation } from "../protocol/violations";
import { bytes, when } from "../texts";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Session } from "./app";
import type { Desk, KnownDelivery } from "./desk";
import { listDeliveries, merge, type Listed } from "./mailbox";
import { requestName } from "./reading";
import { officerStyles } from "./styles";
import { codeText, words } from "./words";
import "./delivery";

const LOOK_AGAIN_MS = 60_000;

@customElement("rw-deliveries")
export class Deliveries extends LitElement {
  static override styles = [
    base,
    officerStyles,
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
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) desk!: Desk;
  @property({ attribute: false }) session!: Session;
  @state() private known: KnownDelivery[] = [];
  @state() private listed: Listed[] | null = null;
  @state() private chosen: string | null = null;
  @state() private busy = false;
  @state() private error = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
    this.timer = setInterval(() => { void this.look(); }, LOOK_AGAIN_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  override render(): TemplateResult {
    const chosen = this.known.find((one) => one.delivery === this.chosen);
    if (chosen) {
      const there = this.listed?.find((one) => one.delivery === chosen.delivery);
      return html`<div class="stack">
        <div><button class="quiet" id="back" @click=${() => (this.chosen = null)}>${icon("back")} ${words.deliveries.back}</button></div>
        <rw-delivery .home=${this.home} .session=${this.session} .known=${chosen} ?gone=${this.listed !== null && (!there || there.received)} @known=${this.changed}></rw-delivery>
      </div>`;
    }
    const t = words.deliveries;
    const wrong = this.listed?.filter((one) => one.arrival === null) ?? [];
    const hasKey = this.session.reading.length > 0;
    return html`<div class="stack">
      <div class="row spread">
        <h1 tabindex="-1">${t.title}</h1>
        <button ?disabled=${this.busy} @click=${() => this.look()}>${this.busy ? t.looking : t.refresh}</button>
      </div>
      <p class="muted">${t.lead}</p>
      ${hasKey ? nothing : html`<p class="note bad">${icon("warning")}<span>${t.noKey}</span></p>`}
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${wrong.map((one) => html`<p class="note bad" role="alert">${icon("warning")}<span>${t.badArrival} <span class="digits small">${one.delivery.slice(0, 16)}</span></span></p>`)}
      ${this.known.length
        ? html`<ul class="stack">
            ${this.known.map((one) => this.one(one))}
          </ul>`
        : html`<div class="card stack empty">
            <h2>${t.none}</h2>
            <p class="muted">${t.noneLead}</p>
          </div>`}
    </div>`;
  }

  private one({ delivery, request, arrival, opened, receipts }: KnownDelivery): TemplateResult {
    const t = words.deliveries;
    const received = receipts.some((one) => one.kind === "received") || this.listed?.some((one) => one.delivery === delivery && one.received);
    const chip = received ? t.received : opened ? t.opened : t.notOpened;
    return html`<li>
      <button class="card one" data-delivery=${delivery} @click=${() => (this.chosen = delivery)}>
        <span class="row"><span class="chip ${received || opened ? "" : "new"}">${chip}</span></span>
        <strong dir="auto">${requestName(this.home, request) ?? t.unknownRequest}</strong>
        <span class="small muted">${when(arrival.time)} · ${bytes(arrival.size)}</span>
      </button>
    </li>`;
  }

  private async look(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const hood = this.home.membership.neighborhood;
    try {
      if (!this.known.length) this.known = await this.desk.deliveries(hood);
      this.listed = await listDeliveries(this.home.client);
      this.known = merge(this.known, this.listed);
      this.error = "";
      await this.desk.keepDeliveries(hood, this.known);
    } catch (error) {
      if (error instanceof CallError || error instanceof HubViolation) this.error = codeText(error.code);
      else throw error;
    } finally {
      this.busy = false;
    }
  }

  private readonly changed = (event: CustomEvent<KnownDelivery>): void => {
    this.known = this.known.map((one) => (one.delivery === event.detail.delivery ? event.detail : one));
    void this.desk.keepDeliveries(this.home.membership.neighborhood, this.known);
  };
}
