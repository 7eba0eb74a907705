/** The audit log, and the register of warrants served on this home. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { when } from "../texts";
import { Api, messageOf, type LogEntry, type LogPage, type Overview } from "./api";
import { panel } from "./styles";
import { words } from "./words";

@customElement("rw-log")
export class LogView extends LitElement {
  static override styles = [
    ...panel,
    css`
      li {
        padding: 0.6rem 0;
        border-bottom: 1px solid var(--line);
      }
      summary {
        cursor: pointer;
        width: max-content;
      }
      details p {
        font-size: 0.75rem;
      }
      form {
        display: grid;
        gap: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @property({ attribute: false }) overview!: Overview;
  @property({ type: Boolean }) allowed = false;
  @state() private page: LogPage | null = null;
  @state() private demands: LogEntry[] = [];
  @state() private failed = "";

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.allowed) void this.load(null);
  }

  private async load(before: number | null): Promise<void> {
    try {
      const found = await this.api.ask<LogPage>("audit", { before });
      this.page = before && this.page ? { ...found, entries: [...this.page.entries, ...found.entries] } : found;
      this.demands = (await this.api.ask<{ entries: LogEntry[] }>("demands")).entries;
      this.failed = "";
    } catch (error) {
      this.failed = messageOf(error);
    }
  }

  override render(): TemplateResult {
    const t = words.log;
    if (!this.allowed) return html`<p class="note">${t.admin}</p>`;
    if (this.failed) return html`<p class="error" role="alert">${words.failed} ${this.failed}</p>`;
    const { page } = this;
    if (!page) return html`<p class="muted" role="status">${words.loading}</p>`;
    return html`<div class="stack">
      <section class="card stack">
        <p>${t.lead}</p>
        <p class=${page.intact ? "note" : "error"} role="status">${page.intact ? t.intact : t.broken(page.broken_at ?? 0)}</p>
        <div class="row">
          <button @click=${() => void this.save("text")}>${t.exportText}</button>
          <button @click=${() => void this.save("json")}>${t.exportJson}</button>
        </div>
        ${page.entries.length === 0 ? html`<p class="muted">${t.empty}</p>` : nothing}
        <ol>
          ${page.entries.map((entry) => this.entry(entry))}
        </ol>
        ${page.more ? html`<div><button @click=${() => void this.load(page.entries.at(-1)?.n ?? null)}>${t.more}</button></div>` : nothing}
      </section>
      ${this.warrants()}
    </div>`;
  }

  private entry(entry: LogEntry): TemplateResult {
    const t = words.log;
    const of = (name: string): string => shown(entry.facts[name]) || (name === "by_name" ? t.somebody : "?");
    const about = this.about(entry.facts["request"] ?? this.requestOf(entry.facts["answer"]));
    const matches = entry.what === "request_seen" ? t.matching(Number(entry.facts["matches"] ?? 0)) : "";
    return html`<li>
      <span class="muted small">${[String(entry.n), when(entry.time), about, matches].filter(Boolean).join(" · ")}</span>
      <p class="said">${t.said[entry.what]?.(of) ?? entry.text}</p>
      <details class="muted small">
        <summary>${t.details}</summary>
        <p class="said digits">${entry.text}</p>
      </details>
    </li>`;
  }

  private requestOf(answer: unknown): string | undefined {
    return this.overview.answers.find((one) => one.id === answer)?.request;
  }

  /** Name a request as people do. It may be of a neighborhood that was left. */
  private about(id: unknown): string {
    const request = this.overview.neighborhoods.flatMap((one) => one.requests).find((one) => one.id === id);
    if (!request) return "";
    return `${words.incidents[request.incident] ?? request.incident}${request.case_number ? `, ${request.case_number}` : ""}`;
  }

  private warrants(): TemplateResult {
    const t = words.demands;
    return html`<section class="card stack">
      <h2>${t.title}</h2>
      <p class="muted">${t.lead}</p>
      ${this.demands.length === 0 ? html`<p class="muted">${t.none}</p>` : nothing}
      <ul>
        ${this.demands.map(
          ({ facts, time }) => html`<li class="said">
            ${t.kinds[shown(facts["kind"])] ?? shown(facts["kind"])}, ${shown(facts["authority"])}, ${when(Number(facts["served"] ?? time))}
            <p class="muted small said">${shown(facts["given"])}</p>
          </li>`,
        )}
      </ul>
      <form @submit=${this.enter}>
        <label for="kind">${t.kind}</label>
        <select id="kind" name="kind">
          ${Object.entries(t.kinds).map(([value, name]) => html`<option value=${value}>${name}</option>`)}
        </select>
        <label for="authority">${t.authority}</label>
        <input id="authority" name="authority" type="text" maxlength="80" required />
        <label for="served">${t.served}</label>
        <input id="served" name="served" type="datetime-local" required />
        <label for="given">${t.given}</label>
        <textarea id="given" name="given" maxlength="2000" required></textarea>
        <div class="row">
          <button class="primary">${t.add}</button>
          ${this.demands.length ? html`<button type="button" @click=${this.saveDemands}>${t.save}</button>` : nothing}
        </div>
      </form>
    </section>`;
  }

  private readonly enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const text = (name: string): string => {
      const value = new FormData(form).get(name);
      return typeof value === "string" ? value : "";
    };
    try {
      const served = Math.floor(Date.parse(text("served")) / 1000);
      await this.api.ask("register_demand", { kind: text("kind"), authority: text("authority"), served, given: text("given") });
      form.reset();
      await this.load(null);
    } catch (error) {
      this.failed = messageOf(error);
    }
  };

  private async save(form: "text" | "json"): Promise<void> {
    try {
      const found = await this.api.ask<{ text: string; json: string }>("export_audit");
      download(form === "text" ? "ringwatch-log.txt" : "ringwatch-log.json", found[form]);
      await this.load(null);
    } catch (error) {
      this.failed = messageOf(error);
    }
  }

  private readonly saveDemands = async (): Promise<void> => {
    try {
      download("ringwatch-warrants.txt", (await this.api.ask<{ text: string }>("export_demands")).text);
    } catch (error) {
      this.failed = messageOf(error);
    }
  };
}

const shown = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : value === undefined || value === null ? "" : JSON.stringify(value);

function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); }, 10_000);
}
