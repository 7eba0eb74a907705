/** Names and values, as rows of a list. */

import { css, html, type TemplateResult } from "lit";

/** What there is to know of a neighborhood, as rows of a list. */
export function facts(rows: [string, TemplateResult | string][]): TemplateResult {
  return html`<dl>
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt class="small muted">${name}</dt>
          <dd dir="auto">${value}</dd>
        </div>`,
    )}
  </dl>`;
}

export const factStyles = css`
  dl {
    display: grid;
    gap: 0.85rem 1.5rem;
    grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
  }
  dl > div,
  dd {
    min-width: 0;
    overflow-wrap: anywhere;
  }
`;
