/** One delivery: opened, checked, looked at, saved, and receipts signed for it. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import type { Home } from "../hub/home";
import { HubViolation } from "../protocol/violations";
import { bytes } from "../texts";
import { facts, factStyles } from "../ui/facts";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Session } from "./app";
import type { KnownDelivery } from "./desk";
import { ciphertext } from "./mailbox";
import { checkPackage, openPackage, type Expected, type Opened } from "./opening";
import { PackageError } from "./package-error";
import { isOwnAgencyKey, isOwnRequest, requestName } from "./reading";
import { save } from "./saving";
import { officerStyles } from "./styles";
import { codeText, exact, words } from "./words";
import "./custody-view";
import "./receipts";

const AGE_START = "age-";

type Stage =
  | { name: "closed" }
  | { name: "working"; step: "decrypting" | "checking"; share: number; stop: AbortController }
  | { name: "failed"; text: string; about: string }
  | { name: "opened"; opened: Opened };

@customElement("rw-delivery")
export class Delivery extends LitElement {
  static override styles = [
    base,
    officerStyles,
    factStyles,
    css`
      .checks li {
        display: flex;
        gap: 0.5rem;
        padding: 0.2rem 0;
      }
      .checks li::before {
        content: "✓";
        color: var(--accent-text);
        font-weight: 700;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) known!: KnownDelivery;
  @property({ type: Boolean }) gone = false;
  @state() private stage: Stage = { name: "closed" };
  @state() private note = "";

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.stage.name === "working") this.stage.stop.abort();
  }

  override render(): TemplateResult {
    const t = words.deliveries;
    const { arrival, request } = this.known;
    const { stage } = this;
    return html`<div class="stack">
      <section class="card stack">
        <h1 tabindex="-1" dir="auto">${requestName(this.home, request) ?? t.unknownRequest}</h1>
        ${facts([
          [t.arrived, exact(arrival.time * 1000)],
          [t.size, bytes(arrival.size)],
        ])}
        ${this.gone && stage.name !== "opened" ? html`<p class="note">${icon("time")}<span>${t.gone}</span></p>` : nothing}
        ${this.actions()}
        ${stage.name === "working" ? this.working(stage.step, stage.share, stage.stop) : nothing}
        ${stage.name === "failed" ? this.failed(stage.text, stage.about) : nothing}
        ${this.note ? html`<p class="error small" role="alert">${this.note}</p>` : nothing}
      </section>
      ${stage.name === "opened" ? this.opened(stage.opened) : nothing}
      <rw-receipts .home=${this.home} .session=${this.session} .known=${this.known} ?opened=${stage.name === "opened"} @known=${this.pass}></rw-receipts>
    </div>`;
  }

  private actions(): TemplateResult | typeof nothing {
    const t = words.deliveries;
    if (this.stage.name === "working" || this.stage.name === "opened") return nothing;
    if (!this.session.reading.length) return html`<p class="note bad">${icon("warning")}<span>${t.noKey}</span></p>`;
    return html`${this.gone
        ? nothing
        : html`<div class="row">
            <button class="primary" id="open" @click=${this.open}>${t.open}</button>
            <button class="quiet" id="sealed" @click=${this.saveSealed}>${t.saveSealed}</button>
          </div>`}
      <details ?open=${this.gone}>
        <summary>${t.openFile}</summary>
        <div class="field">
          <label for="saved" class="small muted">${t.openFileHint}</label>
          <input id="saved" type="file" accept=".zip,.age" @change=${this.chosen} />
        </div>
      </details>`;
  }

  private working(step: "decrypting" | "checking", share: number, stop: AbortController): TemplateResult {
    const t = words.deliveries;
    return html`<div class="stack">
      <label class="small" for="progress">${t[step]}</label>
      <progress id="progress" max="1" value=${share}></progress>
      <div><button @click=${() => { stop.abort(); this.stage = { name: "closed" }; }}>${t.cancel}</button></div>
    </div>`;
  }

  private failed(text: string, about: string): TemplateResult {
    const t = words.deliveries;
    return html`<div class="note bad" role="alert" id="failed">
      ${icon("warning")}
      <div class="stack">
        <h2>${t.failedTitle}</h2>
        <p><strong>${text}</strong></p>
        <p>${t.failedKept}</p>
        ${about ? html`<p class="small">${t.technical}: <span class="digits">${about}</span></p>` : nothing}
      </div>
    </div>`;
  }

  private opened(opened: Opened): TemplateResult {
    const t = words.deliveries;
    const checks = opened.custody.identity.memberKey ? [...t.checks, t.checkedMember] : t.checks;
    return html`<section class="card stack" id="checked" aria-labelledby="checked-title">
        <h2 id="checked-title">${t.checkedTitle}</h2>
        <ul class="checks">
          ${checks.map((check) => html`<li>${check}</li>`)}
        </ul>
        <p class="small muted">${t.limitsNote}</p>
      </section>
      <rw-custody .home=${this.home} .opened=${opened} .known=${this.known} @saved=${() => { this.tell({ ...this.known, saved: true }); }}></rw-custody>`;
  }

  private get expected(): Expected {
    const { arrival, key } = this.known;
    const { neighborhood } = this.home.membership;
    return {
      neighborhood,
      arrival,
      deliveryKey: key,
      isOurs: (agencyKey) => isOwnAgencyKey(this.home, agencyKey),
      isAsked: (request) => isOwnRequest(this.home, request),
      isHost: (author) => this.home.copy.state.author(author)?.subject === this.home.copy.state.hood.id,
    };
  }

  private readonly open = (): void => {
    void this.work((stop, progress) =>
      openPackage(ciphertext(this.home.client, this.known.arrival, stop), this.identities, this.expected, progress),
    );
  };

  private readonly chosen = async (event: Event): Promise<void> => {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (!file) return;
    const sealed = (await file.slice(0, AGE_START.length).text()) === AGE_START;
    await this.work((_, progress) =>
      sealed
        ? openPackage(file.stream(), this.identities, this.expected, progress)
        : checkPackage(file, this.expected, progress),
    );
  };

  private get identities(): CryptoKey[] {
    return this.session.reading.map(({ key }) => key);
  }

  /** Open it in some way, and show it or why not. */
  private async work(make: (stop: AbortSignal, progress: (step: "decrypting" | "checking", share: number) => void) => Promise<Opened>): Promise<void> {
    const stop = new AbortController();
    this.note = "";
    this.stage = { name: "working", step: "decrypting", share: 0, stop };
    try {
      const opened = await make(stop.signal, (step, share) => {
        if (!stop.signal.aborted) this.stage = { name: "working", step, share, stop };
      });
      if (stop.signal.aborted) return;
      this.stage = { name: "opened", opened };
      if (!this.known.opened) this.tell({ ...this.known, opened: true });
    } catch (error) {
      if (stop.signal.aborted) return;
      if (error instanceof PackageError) this.stage = { name: "failed", text: words.deliveries.errors[error.code] ?? error.code, about: error.message };
      else if (error instanceof CallError || error instanceof HubViolation) this.stage = { name: "failed", text: codeText(error.code), about: "" };
      else throw error;
    }
  }

  /** Save the ciphertext as it is: what the hub has signed for. */
  private readonly saveSealed = async (): Promise<void> => {
    const stop = new AbortController();
    const { arrival, key } = this.known;
    const parts: Blob[] = [];
    this.note = "";
    try {
      let done = 0;
      for (const reader = ciphertext(this.home.client, arrival, stop.signal).getReader(); ; ) {
        const { done: over, value } = await reader.read();
        if (over) break;
        parts.push(new Blob([value]));
        done += value.length;
        this.stage = { name: "working", step: "decrypting", share: done / arrival.size, stop };
        if (stop.signal.aborted) break;
      }
      if (!stop.signal.aborted) save(new Blob(parts), `ringwatch-${key.slice(0, 8)}.age`);
    } catch (error) {
      if (!(error instanceof CallError || error instanceof HubViolation)) throw error;
      if (!stop.signal.aborted) this.note = codeText(error.code);
    }
    this.stage = { name: "closed" };
  };

  private tell(known: KnownDelivery): void {
    this.dispatchEvent(new CustomEvent("known", { detail: known }));
  }

  private readonly pass = (event: CustomEvent<KnownDelivery>): void => {
    this.tell(event.detail);
  };
}
