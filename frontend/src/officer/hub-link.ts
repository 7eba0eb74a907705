/** Entering a neighborhood by its hub's link, with the hub's fingerprint to be compared. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Hub } from "../protocol/calls";
import { parseHubLink } from "../protocol/hub-link";
import { isOpenLine } from "../protocol/invites";
import { fingerprint } from "../protocol/keys";
import { LinkViolation } from "../protocol/violations";
import { facts, factStyles } from "../ui/facts";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import { codeText, words } from "./words";

@customElement("rw-hub-link")
export class HubLinkForm extends LitElement {
  static override styles = [
    base,
    factStyles,
    css`
      form {
        display: grid;
        gap: 1rem;
        grid-template-columns: minmax(0, 1fr);
      }
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.75rem 1rem;
        border-radius: 12px;
      }
    `,
  ];

  @property() link = "";
  @property({ type: Boolean }) first = false;
  @state() private found: Hub | null = null;
  @state() private error = "";

  override firstUpdated(): void {
    if (this.link) this.look(this.link);
  }

  override render(): TemplateResult {
    return this.found ? this.confirm(this.found) : this.form();
  }

  private form(): TemplateResult {
    const t = words.hub;
    return html`<section class="card">
      <form @submit=${this.submitted}>
        <h1>${t.title}</h1>
        <p class="muted">${t.lead}</p>
        <div class="field">
          <label for="link">${t.label}</label>
          <input id="link" name="link" type="text" inputmode="url" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1100" .value=${this.link} aria-describedby="hint" required />
          <p id="hint" class="small muted">${t.hint}</p>
        </div>
        ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
        <div class="row">
          <button class="primary">${t.look}</button>
          ${this.first ? nothing : html`<button type="button" class="quiet" @click=${() => this.dispatchEvent(new CustomEvent("cancelled"))}>${words.keys.cancel}</button>`}
        </div>
      </form>
    </section>`;
  }

  private confirm(hub: Hub): TemplateResult {
    const t = words.hub;
    return html`<section class="card stack">
      <h1>${t.confirmTitle}</h1>
      ${facts([
        [t.address, hub.url],
        [t.fingerprint, html`<strong class="digits" dir="ltr">${fingerprint(hub.hubKey)}</strong>`],
      ])}
      <p class="muted">${t.fingerprintHint}</p>
      ${isOpenLine(hub.url) ? html`<p class="note bad">${icon("warning")}<span>${t.openLine}</span></p>` : nothing}
      <div class="row">
        <button class="primary" @click=${() => this.dispatchEvent(new CustomEvent("hub", { detail: hub }))}>${t.go}</button>
        <button class="quiet" @click=${() => (this.found = null)}>${t.back}</button>
      </div>
    </section>`;
  }

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const link = new FormData(event.target as HTMLFormElement).get("link");
    this.look(typeof link === "string" ? link : "");
  };

  private look(link: string): void {
    this.link = link;
    this.error = "";
    try {
      this.found = parseHubLink(link);
    } catch (error) {
      if (!(error instanceof LinkViolation)) throw error;
      this.error = codeText(error.code);
    }
  }
}
