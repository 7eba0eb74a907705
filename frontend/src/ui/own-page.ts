/** A page that came from a hub says so, and offers itself as a file. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { digest } from "../protocol/bytes";
import { texts } from "../texts";
import { icon } from "./icons";
import { base } from "./styles";

export const FILE_NAME = "ringwatch-neighbors.html";

/** Whether the page was served, and is not somebody's own file. */
export const isServed = location.protocol !== "file:";

@customElement("rw-own-page")
export class OwnPage extends LitElement {
  static override styles = [
    base,
    css`
      .note > div {
        display: grid;
        gap: 0.6rem;
        min-width: 0;
      }
    `,
  ];

  @property({ type: Boolean }) joined = false;
  @state() private url = "";
  @state() private sha256 = "";

  override connectedCallback(): void {
    super.connectedCallback();
    if (isServed) void this.fetchItself();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  override render(): TemplateResult | typeof nothing {
    if (!isServed) return nothing;
    const { title, lead, joined, save, digest: name, digestHint } = texts.host;
    return html`<section class="note" aria-labelledby="title">
      ${icon("warning")}
      <div>
        <h2 id="title">${title}</h2>
        <p>${this.joined ? joined : lead}</p>
        ${this.url ? html`<p><a class="button" href=${this.url} download=${FILE_NAME}>${save}</a></p>` : nothing}
        ${this.sha256
          ? html`<details class="small">
              <summary>${name}</summary>
              <p class="digits" id="sha256">${this.sha256}</p>
              <p>${digestHint}</p>
            </details>`
          : nothing}
      </div>
    </section>`;
  }

  private async fetchItself(): Promise<void> {
    try {
      const answer = await fetch(location.pathname, { credentials: "omit", referrerPolicy: "no-referrer" });
      if (!answer.ok) return;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      this.url = URL.createObjectURL(new Blob([bytes], { type: "text/html" }));
      this.sha256 = digest(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // offline: the offer comes the next time
    }
  }
}
