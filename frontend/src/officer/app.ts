/** The officer's page: its key, its hubs, and one neighborhood at a time. */

import { html, LitElement, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { base } from "../ui/styles";

@customElement("rw-officer")
export class OfficerApp extends LitElement {
  static override styles = [base];

  override render(): TemplateResult {
    return html`<main></main>`;
  }
}
