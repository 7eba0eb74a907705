/** The first thing a new neighbor sees: a field for the invite link, or for a key file. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import { Joiner, type Look } from "../hub/joining";
import { checkHubUrl, parseLink } from "../protocol/invites";
import { isDigest, isPublicKey } from "../protocol/keys";
import { HubViolation, LinkViolation } from "../protocol/violations";
import type { Membership } from "../storage/database";
import { readSealed } from "../storage/keystore";
import { errorText, texts } from "../texts";
import { icon } from "./icons";
import { base } from "./styles";
import "./own-page";

/** A neighborhood that somebody has looked at, and may join. */
export interface Found {
  joiner: Joiner;
  look: Look;
  link: string;
}

@customElement("rw-welcome")
export class Welcome extends LitElement {
  static override styles = [
    base,
    css`
      form {
        display: grid;
        gap: 1rem;
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.75rem 1rem;
        border-radius: 12px;
      }
      .mark {
        width: 3.25rem;
        height: 3.25rem;
        border-radius: 1rem;
        display: grid;
        place-content: center;
        background: var(--accent);
        color: var(--on-accent);
      }
      .mark svg {
        width: 30px;
        height: 30px;
      }
      input[type="file"] {
        max-width: 100%;
        font: inherit;
      }
    `,
  ];

  @property() link = "";
  @state() private looking = false;
  @state() private error = "";

  override firstUpdated(): void {
    if (this.link) void this.look();
  }

  override render(): TemplateResult {
    const t = texts.welcome;
    return html`<div class="stack">
      <section class="card stack">
        <span class="mark">${icon("house")}</span>
        <h1 tabindex="-1">${t.title}</h1>
        <p class="muted">${t.lead}</p>
        <form @submit=${this.submitted}>
          <div class="field">
            <label for="link">${t.linkLabel}</label>
            <input id="link" name="link" type="text" inputmode="url" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1100" .value=${this.link} aria-describedby="hint" required />
            <p id="hint" class="small muted">${t.linkHint}</p>
          </div>
          ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
          <div class="row"><button class="primary" ?disabled=${this.looking}>${this.looking ? t.looking : t.look}</button></div>
        </form>
      </section>
      <details class="card">
        <summary>${t.fileTitle}</summary>
        <div class="stack">
          <p class="muted">${t.fileLead}</p>
          <div class="field"><label for="file">${t.fileChoose}</label><input id="file" type="file" accept=".json,application/json" @change=${this.chosen} /></div>
        </div>
      </details>
      <rw-own-page></rw-own-page>
    </div>`;
  }

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const link = new FormData(event.target as HTMLFormElement).get("link");
    this.link = typeof link === "string" ? link : "";
    void this.look();
  };

  private async look(): Promise<void> {
    this.looking = true;
    this.error = "";
    try {
      const joiner = new Joiner(await parseLink(this.link));
      const found: Found = { joiner, look: await joiner.look(), link: this.link };
      this.dispatchEvent(new CustomEvent("found", { detail: found }));
    } catch (error) {
      if (error instanceof HubViolation) this.error = texts.trouble.codes[error.code] ?? texts.trouble.other;
      else if (error instanceof LinkViolation || error instanceof CallError) this.error = errorText(error.code);
      else throw error;
    } finally {
      this.looking = false;
    }
  }

  private readonly chosen = async (event: Event): Promise<void> => {
    const file = (event.target as HTMLInputElement).files?.[0];
    const found = file && file.size < 10_000 ? readMembership(await file.text()) : null;
    this.error = found ? "" : texts.welcome.fileBad;
    if (found) this.dispatchEvent(new CustomEvent("came-back", { detail: found }));
  };
}

function readMembership(text: string): Membership | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const key = readSealed(value);
    const { url, neighborhood, hubKey } = value;
    if (!key || typeof url !== "string" || !isDigest(neighborhood) || !isPublicKey(hubKey)) return null;
    return newMembership(checkHubUrl(url), neighborhood, hubKey, key, null);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LinkViolation) return null;
    throw error;
  }
}

export function newMembership(
  url: string,
  neighborhood: string,
  hubKey: string,
  key: Membership["key"],
  joining: Membership["joining"],
  shown = { name: "", rules: "" },
): Membership {
  const start = { clockOffset: 0, checkpointTime: 0, readUpTo: 0, trouble: null, outbox: null };
  return { url, neighborhood, hubKey, key, joining, shown, ...start };
}
