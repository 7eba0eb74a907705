/** An answer on its way: its very files are looked at, then it is sent, undone, or followed to its receipt. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { bytes, duration, when } from "../texts";
import { Api, messageOf, type Answer, type Overview, type PreparedFile } from "./api";
import { panel } from "./styles";
import { words } from "./words";

const SEEN = 0.985; // of a file's length: players end a picture or two early
const SLACK_S = 0.35;
const TICK_MS = 1000;

@customElement("rw-answer")
export class AnswerView extends LitElement {
  static override styles = [
    ...panel,
    css`
      video {
        display: block;
        width: 100%;
        max-height: 60vh;
        background: #000;
        border-radius: 12px;
      }
      .hash {
        font-size: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @property({ attribute: false }) answer!: Answer;
  @property({ attribute: false }) overview!: Overview;
  @property({ type: Boolean }) short = false;
  @state() private urls = new Map<string, string>();
  @state() private failed = "";
  @state() private busy = false;
  @state() private now = Math.floor(Date.now() / 1000);
  private loading = "";
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => {
      if (this.answer.state === "confirmed") this.now = Math.floor(Date.now() / 1000);
    }, TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
    this.forget();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("answer") || this.short) return;
    if (changed.get("answer")?.state !== this.answer.state) this.failed = "";
    const key = this.answer.files.map((file) => file.sha256).join();
    if (this.answer.state !== "awaiting_confirmation") {
      this.forget();
    } else if (this.loading !== key) {
      this.forget();
      this.loading = key;
      void this.load(key);
    }
  }

  private forget(): void {
    this.loading = "";
    this.reported.clear();
    for (const url of this.urls.values()) URL.revokeObjectURL(url);
    this.urls = new Map();
  }

  /** Fetch the very bytes. They are kept here until the answer is sent or thrown away. */
  private async load(key: string): Promise<void> {
    for (const file of this.answer.files) {
      try {
        const blob = await this.api.fetchFile(file.url);
        if (this.loading !== key) return;
        this.urls = new Map(this.urls).set(file.name, URL.createObjectURL(new Blob([blob], { type: "video/mp4" })));
      } catch (error) {
        this.failed = messageOf(error);
      }
    }
  }

  override render(): TemplateResult {
    const { answer } = this;
    const t = words.answer;
    return html`<div class="stack">
      <div class="row spread">
        <strong class="said">${this.heading()}</strong>
        <span class="chip">${t.states[answer.state] ?? answer.state}</span>
      </div>
      ${this.short ? html`<p class="muted small">${when(answer.created)} · ${t.clips(answer.clips.length)}</p>` : nothing} ${this.inside(answer)}
      ${answer.problem ? html`<p class="note">${t.problems[answer.problem] ?? answer.problem}</p>` : nothing}
      ${this.failed ? html`<p class="error" role="alert">${words.failed} ${this.failed}</p>` : nothing} ${this.receipts(answer)}
      ${this.short ? html`<div><button class="quiet" @click=${() => this.dispatchEvent(new CustomEvent("open"))}>${t.open}</button></div>` : nothing}
    </div>`;
  }

  private heading(): string {
    const { answer, overview } = this;
    const request = overview.neighborhoods.flatMap((one) => one.requests).find((one) => one.id === answer.request);
    const about = request ? `${words.incidents[request.incident] ?? request.incident}${request.case_number ? `, ${request.case_number}` : ""}` : "";
    return [this.short ? about : "", answer.recipient?.agency ?? request?.agency.name ?? ""].filter(Boolean).join(" · ");
  }

  private inside(answer: Answer): TemplateResult | typeof nothing {
    const t = words.answer;
    switch (answer.state) {
      case "preparing":
        return html`<p role="status">${words.preparing}</p><div>${this.throwAway()}</div>`;
      case "awaiting_confirmation":
        return this.short ? nothing : this.looking(answer);
      case "confirmed":
        return html`<p role="status">${t.goesAt(when(answer.release ?? 0))} ${t.left(Math.max(0, (answer.release ?? 0) - this.now))}</p>
          <div class="row"><button class="primary" ?disabled=${this.busy} @click=${() => void this.run("undo")}>${t.undo}</button>${this.throwAway()}</div>`;
      case "sending": {
        const percent = answer.size_bytes ? Math.round((answer.uploaded_bytes / answer.size_bytes) * 100) : 0;
        return html`<p role="status">${t.sending}. ${t.uploaded(percent)}</p>`;
      }
      case "sent":
        return html`<p>${t.sent(when(answer.arrived ?? 0))}</p>`;
      case "received":
        return html`<p>${t.received} ${t.sent(when(answer.arrived ?? 0))}</p>`;
      case "withdrawn":
        return html`<p class="muted">${t.withdrawn}</p>`;
      case "stale":
        return html`<p class="error">${t.stale}</p>
          <div class="row"><button class="primary" ?disabled=${this.busy} @click=${() => void this.run("renew")}>${t.renew}</button>${this.throwAway()}</div>`;
      default:
        return html`<p class="error">${t.errors[answer.error ?? ""] ?? t.failed(answer.error ?? answer.state)}</p>
          <div class="row">${this.short ? nothing : html`<button class="primary" @click=${this.change}>${t.change}</button>`}${this.throwAway()}</div>`;
    }
  }

  private looking(answer: Answer): TemplateResult {
    const t = words.answer;
    const all = answer.files.every((file) => file.watched);
    const undo = this.overview.settings.undo_s;
    const agency = answer.recipient?.agency ?? "";
    return html`<h2>${t.look}</h2>
      <p class="muted">${t.lookHint}</p>
      ${answer.files.map((file) => this.file(file))}
      <p class="note">${undo ? t.confirmHint(agency, words.settings.span(undo)) : t.confirmNow(agency)}</p>
      ${this.overview.may.answer ? nothing : html`<p class="error">${t.cantSend}</p>`}
      <div class="row">
        <button class="primary" id="send" ?disabled=${this.busy || !all || !this.overview.may.answer} @click=${this.send}>${t.confirm}</button>
        <button ?disabled=${this.busy} @click=${this.change}>${t.change}</button>${this.throwAway()}
      </div>`;
  }

  private file(file: PreparedFile): TemplateResult {
    const t = words.answer;
    const url = this.urls.get(file.name);
    return html`<div class="stack">
      ${url
        ? html`<video
            src=${url}
            controls
            playsinline
            preload="auto"
            data-file=${file.name}
            @timeupdate=${(event: Event) => { this.played(file, event); }}
            @seeked=${(event: Event) => { this.played(file, event); }}
            @ended=${(event: Event) => { this.played(file, event); }}
          ></video>`
        : html`<p class="muted" role="status">${t.loadingFile}</p>`}
      <div class="row spread">
        <span class="muted small">${file.name} · ${duration(file.duration_s * 1000)} · ${bytes(file.size)}</span>
        <span class="chip ${file.watched ? "new" : ""}">${file.watched ? t.watched : t.unwatched}</span>
      </div>
      <p class="muted digits hash">SHA-256 ${file.sha256}</p>
    </div>`;
  }

  private readonly reported = new Set<string>();

  /** Note what was seen: played, or scrolled through. Every stretch of the file has to have been on the screen. */
  private played(file: PreparedFile, event: Event): void {
    const video = event.target as HTMLVideoElement;
    const length = video.duration;
    if (!Number.isFinite(length) || file.watched || this.reported.has(file.sha256)) return;
    let seen = 0;
    let at = 0;
    for (let one = 0; one < video.played.length; one++) {
      const start = video.played.start(one);
      const end = video.played.end(one);
      // Scrolling shows single pictures: stretches that nearly touch count as one.
      seen += end - Math.max(at, start - SLACK_S < at ? at : start);
      at = Math.max(at, end);
    }
    if (seen < length * SEEN && !(video.ended && seen > length - SLACK_S)) return;
    this.reported.add(file.sha256);
    void this.ask("watched", { answer: this.answer.id, file: file.name, seconds: seen }).then((done) => {
      if (done) {
        this.dispatchEvent(new CustomEvent("told", { bubbles: true, composed: true }));
        return;
      }
      this.forget(); // Home Assistant was started again meanwhile: fetched anew, and looked at anew
      this.requestUpdate("answer", null);
    });
  }

  private receipts(answer: Answer): TemplateResult | typeof nothing {
    const t = words.answer;
    if (answer.receipts.length === 0) return nothing;
    return html`<h3>${t.receipts}</h3>
      <ul class="stack small">
        ${answer.receipts.map(
          (one) => html`<li class="said">${when(one.time)}: ${t.receipt[one.kind] ?? one.kind}${one.about ? ` (${one.about})` : ""}${one.retention_until ? `, ${t.keptUntil(when(one.retention_until))}` : ""}</li>`,
        )}
      </ul>`;
  }

  private throwAway(): TemplateResult {
    return html`<button class="quiet" ?disabled=${this.busy} @click=${() => void this.run("discard")}>${words.answer.throwAway}</button>`;
  }

  private readonly change = (): void => {
    this.dispatchEvent(new CustomEvent("change"));
  };

  /** Ask for the code of this answer as it is now, and spend it. */
  private readonly send = async (): Promise<void> => {
    this.busy = true;
    this.failed = "";
    try {
      const { code } = await this.api.ask<{ code: string }>("code", { answer: this.answer.id });
      await this.api.ask("send", { answer: this.answer.id, code });
    } catch (error) {
      this.failed = messageOf(error);
    } finally {
      this.busy = false;
    }
  };

  private async run(name: string): Promise<void> {
    this.busy = true;
    this.failed = "";
    await this.ask(name, { answer: this.answer.id });
    this.busy = false;
  }

  private async ask(name: string, message: Record<string, unknown>): Promise<boolean> {
    try {
      await this.api.ask(name, message);
      return true;
    } catch (error) {
      this.failed = messageOf(error);
      return false;
    }
  }
}
