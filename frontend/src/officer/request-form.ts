/** A new footage request: an area, a time, and words, with the limits shown while they are written. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { NotSent, type Home } from "../hub/home";
import { detailsToJson, INCIDENTS, MAX_CASE_NUMBER, MAX_CONTACT, MAX_DESCRIPTION, MAX_PURPOSE, requestToJson, type IncidentKind } from "../protocol/bodies-requests";
import type { Place } from "../protocol/places";
import { clean, textLength } from "../protocol/text";
import { areaM2, isSimple } from "../protocol/geometry";
import { MAX_OPEN, MAX_PER_CASE } from "../rules/limits";
import { caseOf, previewRequest } from "../rules/rules-requests";
import { days } from "../texts";
import type { Dialogs } from "../ui/dialogs";
import { findPrivate } from "../ui/hints";
import { HomeController } from "../ui/home-controller";
import { base } from "../ui/styles";
import { readCorners, writeCorners } from "./map/projection";
import type { MapView } from "./map/map";
import { ownAgency, unfinished, type AgencyView } from "./reading";
import { officerStyles } from "./styles";
import { codeText, fromField, hours, squareKm, toField, words, zone } from "./words";
import "./map/map";

const HOUR_S = 3_600;

type Check = keyof typeof words.form.checks;
interface CheckNow {
  kept: boolean | null; // null: can't be said yet
  now: string;
  why?: string | undefined; // the code of the rule that it breaks
}
type Checks = Map<Check, CheckNow>;

const CHECK_OF: Partial<Record<string, Check>> = {
  area_too_small: "area",
  area_too_large: "area",
  bad_area: "shape",
  outside_jurisdiction: "jurisdiction",
  outside_area: "hood",
  window_too_short: "window",
  window_too_long: "window",
  too_old: "age",
  from_the_future: "age",
  lawful_assembly: "incident",
};
const OF_AREA: readonly Check[] = ["area", "shape", "jurisdiction", "hood"];

@customElement("rw-request-form")
export class RequestForm extends LitElement {
  static override styles = [
    base,
    officerStyles,
    css`
      .columns {
        display: grid;
        gap: 1rem;
        grid-template-columns: minmax(0, 1fr);
        align-items: start;
      }
      @media (min-width: 56rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr) 19rem;
        }
        .limits {
          position: sticky;
          top: 5rem;
        }
      }
      .drawn {
        min-height: 1.5em;
      }
      .drawn.wrong {
        color: var(--danger);
        font-weight: 600;
      }
      .limits h2 {
        margin-bottom: 0.5rem;
      }
      .limits li {
        display: grid;
        grid-template-columns: 1.5rem minmax(0, 1fr);
        padding: 0.25rem 0;
      }
      .limits .mark {
        font-weight: 700;
        color: var(--muted);
      }
      .limits .kept .mark {
        color: var(--accent-text);
      }
      .limits .broken {
        color: var(--danger);
        font-weight: 600;
      }
      .limits .broken .mark {
        color: var(--danger);
      }
      summary {
        cursor: pointer;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  @state() private corners: readonly Place[] = [];
  @state() private from: number | null = null;
  @state() private to: number | null = null;
  @state() private incident: IncidentKind | null = null;
  @state() private caseNumber = "";
  @state() private description = "";
  @state() private step: "idle" | "details" | "request" = "idle";
  @state() private error = "";
  @state() private cornersError = "";
  @query("rw-map") private map!: MapView;

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const now = this.home.clock.now();
    this.from ??= now - (now % 60) - 3 * HOUR_S;
    this.to ??= now - (now % 60) - HOUR_S;
  }

  override render(): TemplateResult | typeof nothing {
    const t = words.form;
    const agency = ownAgency(this.home);
    if (!agency) return nothing;
    const checks = this.checks(agency);
    const wrong = this.corners.length > 2 && OF_AREA.some((check) => checks.get(check)?.kept === false);
    const ready = [...checks.values()].every(({ kept }) => kept === true);
    const busy = this.step !== "idle";
    return html`<form class="stack" @submit=${this.submitted}>
      <h1 tabindex="-1">${t.title}</h1>
      <p class="muted">${t.lead}</p>
      <div class="columns">
        <div class="stack">
          ${this.where(agency, wrong, checks)} ${this.when()} ${this.what()}
          <section class="card stack">
            <p>${t.promise} ${t.promiseValue(days(agency.row.retentionDays), words.sharing[agency.row.sharing] ?? agency.row.sharing)}</p>
            <label class="choice"><input type="checkbox" name="availability" /><span>${t.availability}<br /><span class="small muted">${t.availabilityHint}</span></span></label>
            ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
            <div class="row">
              <button class="primary" id="send" ?disabled=${!ready || busy || this.home.isSending}>${this.step === "details" ? t.sendingDetails : this.step === "request" ? t.sendingRequest : t.send}</button>
              <button type="button" class="quiet" @click=${() => { this.done(false); }}>${t.cancel}</button>
            </div>
          </section>
        </div>
        ${this.limits(checks)}
      </div>
    </form>`;
  }

  private where(agency: AgencyView, wrong: boolean, checks: Checks): TemplateResult {
    const t = words.map;
    const { center, radius_m } = this.home.copy.state.hood;
    return html`<section class="card stack" aria-labelledby="where">
      <h2 id="where">1. ${words.form.step1}</h2>
      <p class="small muted">${words.form.step1Lead} ${t.noTiles}</p>
      <rw-map mode="draw" .center=${center} .radius=${radius_m} .jurisdiction=${agency.row.jurisdiction} .corners=${this.corners} ?wrong=${wrong} @corners=${this.drawn}></rw-map>
      <p class="small drawn ${wrong ? "wrong" : ""}" role="status" id="drawn">${this.drawnNow(checks)}</p>
      <div class="row">
        ${this.corners.length
          ? html`<button type="button" @click=${() => { this.setCorners(this.corners.slice(0, -1)); }}>${t.undo}</button>
              <button type="button" @click=${() => { this.setCorners([]); }}>${t.clear}</button>`
          : html`<button type="button" id="box" @click=${() => { this.map.box(); }}>${t.box}</button>`}
      </div>
      <details>
        <summary class="small">${t.corners}</summary>
        <div class="field">
          <label class="small muted" for="corners">${t.cornersHint}</label>
          <textarea id="corners" class="digits" spellcheck="false" .value=${writeCorners(this.corners)}></textarea>
          ${this.cornersError ? html`<p class="error small" role="alert">${this.cornersError}</p>` : nothing}
          <div><button type="button" @click=${this.typedCorners}>${t.cornersUse}</button></div>
        </div>
      </details>
    </section>`;
  }

  private when(): TemplateResult {
    const t = words.form;
    return html`<section class="card stack" aria-labelledby="when">
      <h2 id="when">2. ${t.step2}</h2>
      <div class="pair">
        <div class="field"><label for="from">${t.from}</label><input id="from" type="datetime-local" required .value=${this.from === null ? "" : toField(this.from)} @input=${(event: Event) => (this.from = fromField(valueOf(event)))} /></div>
        <div class="field"><label for="to">${t.to}</label><input id="to" type="datetime-local" required .value=${this.to === null ? "" : toField(this.to)} @input=${(event: Event) => (this.to = fromField(valueOf(event)))} /></div>
      </div>
      <p class="small muted">${t.zone(zone)}</p>
    </section>`;
  }

  private what(): TemplateResult {
    const t = words.form;
    const left = MAX_DESCRIPTION - textLength(this.description);
    return html`<section class="card stack" aria-labelledby="what">
      <h2 id="what">3. ${t.step3}</h2>
      <div class="pair">
        <div class="field">
          <label for="incident">${t.incident}</label>
          <select id="incident" required @change=${(event: Event) => (this.incident = (valueOf(event) || null) as IncidentKind | null)}>
            <option value="">${t.choose}</option>
            ${INCIDENTS.map((one) => html`<option value=${one} ?selected=${one === this.incident}>${words.requests.incidents[one]}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="case">${t.caseNumber}</label>
          <input id="case" name="case" type="text" maxlength=${MAX_CASE_NUMBER} required autocomplete="off" dir="auto" .value=${this.caseNumber} @input=${(event: Event) => (this.caseNumber = valueOf(event))} aria-describedby="case-hint" />
          <p id="case-hint" class="small muted">${t.caseHint}</p>
        </div>
      </div>
      <div class="field">
        <label for="purpose">${t.purpose}</label>
        <textarea id="purpose" name="purpose" class="short" maxlength=${MAX_PURPOSE} required dir="auto" aria-describedby="purpose-hint"></textarea>
        <p id="purpose-hint" class="small muted">${t.purposeHint}</p>
      </div>
      <div class="field">
        <label for="contact">${t.contact}</label>
        <input id="contact" name="contact" type="text" maxlength=${MAX_CONTACT} required dir="auto" aria-describedby="contact-hint" />
        <p id="contact-hint" class="small muted">${t.contactHint}</p>
      </div>
      <div class="field">
        <label for="description">${t.description}</label>
        <textarea id="description" name="description" dir="auto" aria-describedby="description-hint" @input=${(event: Event) => (this.description = valueOf(event))}></textarea>
        <p id="description-hint" class="small muted">${left < 200 ? t.left(String(left)) : t.descriptionHint}</p>
      </div>
    </section>`;
  }

  /** What is wrong with the area as it is drawn now, beside the map: on a telephone the list of limits is far below. */
  private drawnNow(checks: Checks): string {
    const broken = OF_AREA.flatMap((check) => checks.get(check)?.why ?? []).map(codeText);
    const size = checks.get("area")?.now ?? "";
    if (this.corners.length < 3) return "";
    return `${size ? `${size}. ` : ""}${broken.length ? broken.join(" ") : words.form.allKept}`;
  }

  private limits(checks: Checks): TemplateResult {
    const t = words.form;
    return html`<aside class="card limits" aria-labelledby="limits">
      <h2 id="limits">${t.limits}</h2>
      <ul aria-live="polite">
        ${[...checks].map(([check, { kept, now }]) => {
          const [mark, said] = kept === null ? ["○", t.open] : kept ? ["✓", t.ok] : ["✗", t.notOk];
          return html`<li class=${kept === null ? "" : kept ? "kept" : "broken"} data-check=${check}>
            <span class="mark" aria-hidden="true">${mark}</span>
            <span>${t.checks[check]}<span class="away">: ${said}</span>${now ? html`<br /><span class="small muted">${now}</span>` : nothing}</span>
          </li>`;
        })}
      </ul>
    </aside>`;
  }

  /** What the rules say of it by now: the same functions that the hub and every home will ask. */
  private checks({ row }: AgencyView): Checks {
    const t = words.form;
    const { state } = this.home.copy;
    const drawn = this.corners.length > 2;
    const window = { from: this.from ?? 0, to: this.to ?? 0 };
    const timed = this.from !== null && this.to !== null;
    const broken = new Map<Check, string>();
    for (const { code } of previewRequest(this.corners, window, this.incident ?? "theft", { agency: row, hood: state.hood, now: this.home.clock.now() })) {
      const check = CHECK_OF[code];
      if (check) broken.set(check, code);
    }
    const simple = drawn && isSimple(this.corners);
    const now = (check: Check, known: boolean, said = ""): [Check, CheckNow] => [
      check,
      { kept: known ? !broken.has(check) : null, now: known ? said : "", why: known ? broken.get(check) : undefined },
    ];
    const open = unfinished(state, row.root);
    const cases = this.caseNumber.trim() ? state.requestsOfCase(caseOf(row.root, clean(this.caseNumber, MAX_CASE_NUMBER, false))) : 0;
    return new Map<Check, CheckNow>([
      now("area", simple, simple ? t.areaNow(squareKm(areaM2(this.corners))) : ""),
      now("shape", drawn),
      now("jurisdiction", simple),
      now("hood", simple),
      now("window", timed, t.windowNow(hours(Math.max(0, window.to - window.from)))),
      now("age", timed),
      now("incident", this.incident !== null),
      ["case", { kept: this.caseNumber.trim() ? cases < MAX_PER_CASE : null, now: this.caseNumber.trim() ? t.countNow(cases, MAX_PER_CASE) : "" }],
      ["open", { kept: open < MAX_OPEN, now: t.countNow(open, MAX_OPEN) }],
    ]);
  }

  private readonly drawn = (event: CustomEvent<readonly Place[]>): void => {
    this.setCorners(event.detail);
  };

  private setCorners(corners: readonly Place[]): void {
    this.corners = corners;
    this.cornersError = "";
  }

  private readonly typedCorners = (): void => {
    const text = this.renderRoot.querySelector<HTMLTextAreaElement>("#corners")?.value ?? "";
    const found = readCorners(text);
    if (found) this.setCorners(found.slice(0, 32));
    else this.cornersError = words.map.cornersBad;
  };

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const agency = ownAgency(this.home);
    if (!agency || !this.incident || this.from === null || this.to === null) return;
    const read = (name: string, limit: number, lines: boolean): string => {
      const value = form.get(name);
      return typeof value === "string" ? clean(value, limit, lines) : "";
    };
    const details = {
      caseNumber: read("case", MAX_CASE_NUMBER, false),
      purpose: read("purpose", MAX_PURPOSE, false),
      contact: read("contact", MAX_CONTACT, false),
      description: read("description", MAX_DESCRIPTION, true),
    };
    const hints = findPrivate(`${details.purpose}\n${details.description}`); // the contact is meant to be reached
    if (hints.length && !(await this.dialogs.hints(hints))) return;
    this.error = "";
    try {
      this.step = "details";
      const id = await this.home.submit("request_details", detailsToJson(details));
      this.step = "request";
      const { retentionDays, sharing } = agency.row;
      const window = { from: this.from, to: this.to };
      const availability = form.has("availability");
      const asked = { details: id, area: [...this.corners], window, incident: this.incident, retentionDays, sharing, availability };
      await this.home.submit("footage_request", requestToJson(asked));
      this.done(true);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      this.error = codeText(error.code);
    } finally {
      this.step = "idle";
    }
  };

  private done(sent: boolean): void {
    this.dispatchEvent(new CustomEvent("done", { detail: sent }));
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement).value;
}
