/** Receipts for a delivery: what an officer signs about it, and what was signed. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import type { Home } from "../hub/home";
import { MAX_ABOUT, RECEIPT_KINDS, signReceipt, type Receipt, type ReceiptKind } from "../protocol/delivery";
import { fingerprint } from "../protocol/keys";
import { clean } from "../protocol/text";
import { HubViolation, RecordViolation } from "../protocol/violations";
import { when } from "../texts";
import { base } from "../ui/styles";
import type { Session } from "./app";
import type { KnownDelivery } from "./desk";
import { sendReceipt } from "./mailbox";
import { ownAgency } from "./reading";
import { officerStyles } from "./styles";
import { codeText, words } from "./words";

const DAY_S = 86_400;

@customElement("rw-receipts")
export class Receipts extends LitElement {
  static override styles = [base, officerStyles];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) known!: KnownDelivery;
  @property({ type: Boolean }) opened = false;
  @state() private kind: ReceiptKind = "received";
  @state() private busy = false;
  @state() private error = "";

  override render(): TemplateResult {
    const t = words.receipts;
    const { receipts, opened } = this.known;
    return html`<section class="card stack" aria-labelledby="title" id="receipts">
      <h2 id="title">${t.title}</h2>
      <p class="muted small">${t.lead}</p>
      ${receipts.length
        ? html`<ul class="stack">
            ${receipts.map((one) => this.given(one))}
          </ul>`
        : html`<p>${t.none}</p>`}
      ${opened || this.opened ? this.form() : nothing}
    </section>`;
  }

  private given({ kind, time, retention_until, about, officer }: Receipt): TemplateResult {
    const t = words.receipts;
    const by = officer === this.session.kept.publicKey ? t.you : t.by(fingerprint(officer));
    return html`<li>
      <strong>${t.line(t.kinds[kind] ?? kind, when(time))}</strong> <span class="small muted">${by}</span>
      ${retention_until === null ? nothing : html`<br /><span class="small">${t.until(when(retention_until))}</span>`}
      ${about ? html`<p class="said small" dir="auto">${about}</p>` : nothing}
    </li>`;
  }

  private form(): TemplateResult {
    const t = words.receipts;
    const left = RECEIPT_KINDS.filter((kind) => kind !== "received" || !this.hasReceived);
    const kind = left.includes(this.kind) ? this.kind : (left[0] ?? "used");
    const latest = this.latest;
    const first = kind === "received";
    return html`<form class="stack" @submit=${this.submitted}>
      <div class="pair">
        <div class="field">
          <label for="kind">${t.kind}</label>
          <select id="kind" name="kind" @change=${(event: Event) => (this.kind = (event.target as HTMLSelectElement).value as ReceiptKind)}>
            ${left.map((one) => html`<option value=${one} ?selected=${one === kind}>${t.kinds[one]}</option>`)}
          </select>
        </div>
        ${first
          ? html`<div class="field">
              <label for="until">${t.retention}</label>
              <input id="until" name="until" type="date" required max=${dateField(latest)} value=${dateField(latest)} />
              <span class="small muted">${t.retentionLimit(when(latest))}</span>
            </div>`
          : nothing}
      </div>
      <div class="field">
        <label for="about">${kind === "shared_with" ? t.aboutShared : t.about}</label>
        <textarea id="about" class="short" name="about" maxlength=${MAX_ABOUT} dir="auto" ?required=${kind === "shared_with"}></textarea>
      </div>
      ${first ? html`<label class="choice"><input type="checkbox" name="saved" required .checked=${this.known.saved} />${t.saved}</label>` : nothing}
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${this.busy ? t.signing : t.sign}</button></div>
    </form>`;
  }

  private get hasReceived(): boolean {
    return this.known.receipts.some((one) => one.kind === "received");
  }

  /** Until when the agency may keep it, by its own word. */
  private get latest(): number {
    return this.home.clock.now() + (ownAgency(this.home)?.row.retentionDays ?? 0) * DAY_S;
  }

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const element = event.target as HTMLFormElement;
    const form = new FormData(element);
    const read = (name: string): string => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    const kind = RECEIPT_KINDS.find((one) => one === read("kind")) ?? "used";
    const until = kind === "received" ? Math.floor(Date.parse(`${read("until")}T00:00`) / 1000) : null;
    if (until !== null && until > this.latest) {
      this.error = words.receipts.tooLong;
      return;
    }
    const { delivery, request, arrival } = this.known;
    this.busy = true;
    this.error = "";
    try {
      const receipt = await signReceipt(this.session.signer, {
        delivery,
        request,
        sha256: arrival.sha256,
        kind,
        time: this.home.clock.now(),
        retention_until: until,
        about: clean(read("about"), MAX_ABOUT, true),
      });
      await sendReceipt(this.home.client, receipt);
      this.dispatchEvent(new CustomEvent("known", { detail: { ...this.known, receipts: [...this.known.receipts, receipt] } }));
      element.reset();
    } catch (error) {
      if (error instanceof CallError || error instanceof HubViolation || error instanceof RecordViolation) this.error = codeText(error.code);
      else throw error;
    } finally {
      this.busy = false;
    }
  };
}

function dateField(time: number): string {
  const date = new Date(time * 1000);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}
