/** The review page: one request, the clips of this home that match, and an answer to it. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { when } from "../texts";
import type { Place } from "../protocol/places";
import { Api, messageOf, type Answer, type Clip, type FootageRequest, type Identity, type Neighborhood, type Overview, type Selection, type Spot } from "./api";
import { panel } from "./styles";
import { words } from "./words";
import "../officer/map/map";
import "./answer-view";
import "./clip-editor";

const MAX_CLIPS = 10;

const placeOf = (spot: Spot): Place => ({ lat_e6: Math.round(spot.lat * 1e6), lon_e6: Math.round(spot.lon * 1e6) });

@customElement("rw-review")
export class Review extends LitElement {
  static override styles = [
    ...panel,
    css`
      .two {
        display: grid;
        gap: 1rem;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      }
      @media (max-width: 48rem) {
        .two {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      rw-map {
        --map-height: 20rem;
      }
      h1 {
        font-size: 1.4rem;
      }
      textarea {
        min-height: 4rem;
      }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @property({ attribute: false }) overview!: Overview;
  @property({ attribute: false }) refresh!: () => Promise<void>;
  @property({ attribute: false }) neighborhood!: Neighborhood;
  @property({ attribute: false }) request!: FootageRequest;
  @state() private clips: Clip[] | null = null;
  @state() private more = false;
  @state() private chosen = new Map<string, Selection>();
  @state() private identity: Identity | null = null;
  @state() private changing = false;
  @state() private failed = "";
  @state() private busy = false;
  @state() private reason = "";
  private asked = "";

  protected override willUpdate(changed: PropertyValues<this>): void {
    const key = `${this.request.id} ${this.request.status}`; // once a moderator has let it through, there is more to show
    if (!changed.has("request") || this.asked === key) return;
    this.asked = key;
    this.chosen = new Map();
    this.clips = null;
    if (this.request.status === "open") void this.load();
  }

  private async load(): Promise<void> {
    try {
      const found = await this.api.ask<{ clips: Clip[]; more: boolean }>("matches", this.names());
      this.clips = found.clips;
      this.more = found.more;
    } catch (error) {
      this.failed = messageOf(error);
    }
  }

  private names(): { neighborhood: string; request: string } {
    return { neighborhood: this.neighborhood.id, request: this.request.id };
  }

  private get answer(): Answer | null {
    return this.overview.answers.find((one) => one.request === this.request.id && one.state !== "withdrawn") ?? null;
  }

  override render(): TemplateResult {
    const { request, answer } = this;
    return html`<div class="stack">
      ${this.facts(request)} ${this.failed ? html`<p class="error" role="alert">${words.failed} ${this.failed}</p>` : nothing}
      ${this.neighborhood.moderates && (request.status === "pending" || request.status === "held") ? this.moderating() : nothing}
      ${answer && !this.changing
        ? html`<rw-answer class="card" .api=${this.api} .answer=${answer} .overview=${this.overview} @change=${() => { this.change(answer); }}></rw-answer>`
        : nothing}
      ${request.status === "open" && this.overview.open && (!answer || this.changing) ? this.answering(answer) : nothing}
    </div>`;
  }

  private facts(request: FootageRequest): TemplateResult {
    const t = words.request;
    const fact = (name: string, value: string | null) => (value ? html`<dt>${name}</dt><dd class="said">${value}</dd>` : nothing);
    return html`<section class="card stack">
        <div class="row">
          <h1>${words.incidents[request.incident] ?? request.incident}</h1>
          <span class="chip">${words.statuses[request.status] ?? request.status}${request.outcome && request.status === "closed" ? `: ${words.outcomes[request.outcome] ?? request.outcome}` : ""}</span>
          ${request.extended ? html`<span class="chip">${words.extended}</span>` : nothing}
          ${request.reminded ? html`<span class="chip">${words.reminded}</span>` : nothing}
        </div>
        <div class="two">
          <dl class="facts">
            ${fact(t.who, t.asks(request.officer, request.agency.name))} ${fact(t.neighborhood, this.neighborhood.name)} ${fact(t.window, `${when(request.start)} – ${when(request.end)}`)}
            ${fact(t.caseNumber, request.case_number)} ${fact(t.purpose, request.purpose)} ${fact(t.contact, request.contact)}
            ${fact(t.description, request.description)}
          </dl>
          ${this.neighborhood.center
            ? html`<rw-map .center=${placeOf(this.neighborhood.center)} .radius=${this.neighborhood.radius_m} .corners=${request.area.map(placeOf)} mode="look"></rw-map>`
            : nothing}
        </div>
        ${request.case_number === null && request.status !== "pending" ? html`<p class="muted">${t.erased}</p>` : nothing}
        ${request.availability ? html`<p class="note">${t.availability[request.availability] ?? ""}</p>` : nothing}
      </section>
      ${this.agency(request)}`;
  }

  private agency({ agency }: FootageRequest): TemplateResult {
    const t = words.agency;
    return html`<section class="card stack">
      <h2>${t.title}</h2>
      ${agency.first_time ? html`<p class="note">${t.first}</p>` : nothing}
      ${agency.hold_until && agency.hold_until * 1000 > Date.now() ? html`<p class="error">${t.hold(when(agency.hold_until))}</p>` : nothing}
      <dl class="facts">
        <dt>${t.domain}</dt>
        <dd class="digits">${agency.domain}</dd>
        <dt>${t.fingerprint}</dt>
        <dd class="digits">${agency.fingerprint}</dd>
        <dt>${t.keeps}</dt>
        <dd>${t.keepsDays(agency.retention_days)}</dd>
        <dt>${t.passesOn}</dt>
        <dd>${t.sharing[agency.sharing] ?? agency.sharing}</dd>
        <dt>${t.faces}</dt>
        <dd>${t.recognition[agency.face_recognition] ?? agency.face_recognition}</dd>
        ${agency.terms ? html`<dt>${t.terms}</dt><dd class="said">${agency.terms}</dd>` : nothing}
      </dl>
    </section>`;
  }

  private moderating(): TemplateResult {
    const t = words.moderate;
    const decide = (decision: string) => () => void this.run("moderate", { ...this.names(), decision, reason: this.reason });
    return html`<section class="card stack">
      <h2>${t.title}</h2>
      <p>${t.lead}</p>
      <label for="reason">${t.reason}</label>
      <textarea id="reason" maxlength="1000" .value=${this.reason} @input=${(event: Event) => (this.reason = (event.target as HTMLTextAreaElement).value)}></textarea>
      <div class="row">
        <button class="primary" ?disabled=${this.busy} @click=${decide("restore")}>${t.release}</button>
        ${this.request.status === "pending" ? html`<button ?disabled=${this.busy || !this.reason.trim()} @click=${decide("hold")}>${t.hold}</button>` : nothing}
        <button class="danger" ?disabled=${this.busy || !this.reason.trim()} @click=${decide("remove")}>${t.refuse}</button>
      </div>
    </section>`;
  }

  private answering(answer: Answer | null): TemplateResult {
    if (this.request.my === "declined") {
      return html`<section class="card stack">
        <p>${words.declined}. ${words.declineHint}</p>
        <div><button ?disabled=${this.busy} @click=${() => void this.run("reconsider", this.names())}>${words.reconsider}</button></div>
      </section>`;
    }
    if (!this.clips) return html`<p class="muted" role="status">${words.loading}</p>`;
    if (this.clips.length === 0) {
      return html`<section class="card stack">
        <p>${words.clips.none}</p>
        <div class="row"><button ?disabled=${this.busy} @click=${() => void this.run("decline", this.names())}>${words.decline}</button></div>
      </section>`;
    }
    return html`<section class="stack">
      <h2>${words.clips.title}</h2>
      <p class="muted">${words.clips.atMost} ${this.more ? words.clips.more : ""}</p>
      ${this.clips.map(
        (clip) => html`<rw-clip-editor
          class="card"
          .api=${this.api}
          .clip=${clip}
          .request=${this.request.id}
          .selection=${this.chosen.get(clip.id) ?? null}
          .settings=${this.overview.settings}
          ?full=${this.chosen.size >= MAX_CLIPS}
          @selected=${(event: CustomEvent<Selection | null>) => { this.select(clip.id, event.detail); }}
        ></rw-clip-editor>`,
      )}
      ${this.who()}
      <div class="row">
        <button class="primary" ?disabled=${this.busy || this.chosen.size === 0} @click=${() => void this.prepare(answer)}>${words.prepare}</button>
        ${answer
          ? html`<button class="quiet" @click=${() => (this.changing = false)}>${words.leave}</button>`
          : html`<button ?disabled=${this.busy} @click=${() => void this.run("decline", this.names())}>${words.decline}</button>
              <span class="muted small">${words.declineHint}</span>`}
      </div>
    </section>`;
  }

  private who(): TemplateResult {
    const t = words.who;
    const { name, address } = this.overview.settings;
    const now = this.identity ?? this.overview.settings.identity;
    const choice = (kind: Identity, text: string, possible: boolean) =>
      html`<label class="tick"><input type="radio" name="who" .checked=${now === kind} ?disabled=${!possible} @change=${() => (this.identity = kind)} /> ${text}</label>`;
    return html`<section class="card stack">
      <h2>${t.title}</h2>
      <div>
        ${choice("anonymous", t.anonymous, true)} ${name ? choice("name", t.name(name), true) : nothing}
        ${name && address ? choice("address", t.address(name, address), true) : nothing}
      </div>
      <p class="muted small">${t.hub} ${name ? "" : t.unset}</p>
    </section>`;
  }

  private select(id: string, selection: Selection | null): void {
    const next = new Map(this.chosen);
    if (selection) next.set(id, selection);
    else next.delete(id);
    this.chosen = next;
  }

  private change(answer: Answer): void {
    this.chosen = new Map(answer.clips.map((one) => [one.id, one]));
    this.identity = answer.identity;
    this.changing = true;
  }

  private async prepare(answer: Answer | null): Promise<void> {
    const clips = (this.clips ?? []).flatMap((clip) => this.chosen.get(clip.id) ?? []);
    const identity = this.identity ?? this.overview.settings.identity;
    if (await this.run("prepare", { ...this.names(), clips, identity, answer: answer?.id ?? null })) {
      await this.refresh(); // or the files before would be looked at
      this.changing = false;
    }
  }

  private async run(name: string, message: Record<string, unknown>): Promise<boolean> {
    this.busy = true;
    this.failed = "";
    try {
      await this.api.ask(name, message);
      return true;
    } catch (error) {
      this.failed = messageOf(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
