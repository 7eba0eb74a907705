/** Footage requests as neighbors see them here: public, and answered at home only. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Home } from "../hub/home";
import { areaM2 } from "../protocol/geometry";
import type { Place } from "../protocol/places";
import type { RequestRow } from "../rules/rows-requests";
import { mayHaveBody, requestStatus } from "../rules/state";
import { span, texts, when, whereabouts } from "../texts";
import { Acting } from "./acting";
import type { Dialogs } from "./dialogs";
import { facts, factStyles } from "./facts";
import { HomeController } from "./home-controller";
import { icon } from "./icons";
import { base } from "./styles";

const ENDED_SHOWN = 20;

/** Requests that were released, newest first: open ones, and such as have ended. */
export function releasedRequests(home: Home): { open: RequestRow[]; over: RequestRow[] } {
  const released = home.copy.state.requests().filter((row) => row.known && row.released !== null && row.outcome !== "void");
  const isOver = (row: RequestRow): boolean => row.closed !== null;
  return { open: released.filter((row) => !isOver(row)), over: released.filter(isOver).slice(0, ENDED_SHOWN) };
}

@customElement("rw-requests-public")
export class PublicRequests extends LitElement {
  static override styles = [
    base,
    factStyles,
    css`
      summary {
        cursor: pointer;
        min-height: 44px;
        align-content: center;
      }
      .said {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      h2,
      h3 {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  private readonly acting = new Acting(
    this,
    () => this.home,
    () => this.dialogs,
  );

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult | typeof nothing {
    const { open, over } = releasedRequests(this.home);
    if (!open.length && !over.length) return nothing;
    const t = texts.requests;
    return html`<section class="stack" aria-labelledby="title">
      <h2 id="title" class="away">${t.title}</h2>
      ${open.map((row) => this.one(row))}
      ${over.length
        ? html`<details>
            <summary class="small muted">${t.over(over.length)}</summary>
            <div class="stack">${over.map((row) => this.one(row))}</div>
          </details>`
        : nothing}
    </section>`;
  }

  private one(row: RequestRow): TemplateResult {
    const { home } = this;
    const { state } = home.copy;
    const t = texts.requests;
    const status = requestStatus(state, row);
    const agency = state.agencyNow(row.agency);
    const body = mayHaveBody(state, row.details, home.me) ? home.copy.record(row.details)?.body : null;
    const details = body?.kind === "request_details" ? body : null;
    const incident = t.incidents[row.incident ?? ""] ?? "";
    const rows: [string, TemplateResult | string][] = [
      [t.agency, html`<bdi>${(agency && state.subject(agency.id)?.name) ?? ""}</bdi>, <bdi>${state.subject(row.subject)?.name ?? ""}</bdi>`],
      [t.window, span(row.start, row.end)],
      [t.place, `${whereabouts(state.hood.center, middle(row.area))}, ${t.area(areaM2(row.area))}`],
    ];
    if (details) rows.push([t.caseNumber, details.caseNumber], [t.purpose, details.purpose], [t.contact, details.contact]);
    if (row.asks) rows.push([t.availability, t.answers[row.answer ?? "asked"] ?? ""]);
    rows.push(row.closed === null ? [t.until, when(row.expires)] : [t.ended, `${t.outcomes[row.outcome ?? ""] ?? ""}, ${when(row.closed)}`]);
    const canFlag = status === "open" && home.me?.kind === "member" && !state.once("flag", row.id, home.me.id);
    return html`<article class="card stack" data-request=${row.id}>
      <div class="row spread">
        <h3>${t.one}: ${incident}</h3>
        <span class="chip ${status === "open" ? "new" : ""}">${t.status[status]}</span>
      </div>
      ${facts(rows)} ${details?.description ? html`<p class="said" dir="auto">${details.description}</p>` : nothing}
      ${status === "open" ? html`<p class="note small">${icon("house")}<span>${t.atHome}</span></p>` : nothing}
      ${canFlag
        ? html`<div><button class="quiet small" ?disabled=${this.acting.busy} @click=${() => this.acting.flag(row.id)}>${icon("flag")} ${texts.post.flag}</button></div>`
        : nothing}
      ${this.acting.error ? html`<p class="note bad" role="alert">${this.acting.error}</p>` : nothing}
    </article>`;
  }
}

/** The middle of the corners: near enough for words. */
function middle(area: Place[]): Place {
  const half = (values: number[]): number => Math.round((Math.min(...values) + Math.max(...values)) / 2);
  return { lat_e6: half(area.map(({ lat_e6 }) => lat_e6)), lon_e6: half(area.map(({ lon_e6 }) => lon_e6)) };
}
