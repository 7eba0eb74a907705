/** The panel in Home Assistant's colors, whatever the theme. */

import { css } from "lit";
import { base } from "../ui/styles";

export const theme = css`
  :host {
    --page: var(--primary-background-color, #fafafa);
    --card: var(--ha-card-background, var(--card-background-color, #fff));
    --text: var(--primary-text-color, #212121);
    --muted: var(--secondary-text-color, #5f6368);
    --line: var(--divider-color, #e0e0e0);
    --field: var(--card-background-color, #fff);
    --field-line: var(--secondary-text-color, #727272);
    --button: color-mix(in srgb, var(--text) 9%, var(--card));
    --button-hover: color-mix(in srgb, var(--text) 15%, var(--card));
    --accent: var(--primary-color, #03a9f4);
    --accent-hover: color-mix(in srgb, var(--accent) 86%, #000);
    --accent-text: var(--primary-color, #0288d1);
    --on-accent: var(--text-primary-color, #fff);
    --danger: var(--error-color, #db4437);
    --on-danger: #fff;
    --note: color-mix(in srgb, var(--accent) 12%, var(--card));
    --on-note: var(--text);
    --bad: color-mix(in srgb, var(--danger) 14%, var(--card));
    --on-bad: var(--text);
    --chip: color-mix(in srgb, var(--text) 9%, var(--card));
    --on-chip: var(--text);
    --focus: var(--primary-color, #1a73e8);
    --shadow: var(--ha-card-box-shadow, none);
    color: var(--text);
  }
`;

export const panel = [
  base,
  theme,
  css`
    .error {
      color: var(--on-bad);
      background: var(--bad);
      padding: 0.75rem 1rem;
      border-radius: 12px;
    }
    .note {
      color: var(--on-note);
      background: var(--note);
      padding: 0.75rem 1rem;
      border-radius: 12px;
    }
    dl.facts {
      display: grid;
      grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr);
      gap: 0.4rem 1rem;
    }
    dl.facts dt {
      color: var(--muted);
    }
    dl.facts dd {
      overflow-wrap: anywhere;
    }
    @media (max-width: 30rem) {
      dl.facts {
        grid-template-columns: minmax(0, 1fr);
        gap: 0 0;
      }
      dl.facts dd {
        margin-bottom: 0.5rem;
      }
    }
    select,
    input[type="number"],
    input[type="datetime-local"] {
      font: inherit;
      color: var(--text);
      background: var(--field);
      border: 1px solid var(--field-line);
      border-radius: 12px;
      padding: 0.55rem 0.75rem;
      min-height: 44px;
      max-width: 100%;
    }
    input[type="range"] {
      width: 100%;
      accent-color: var(--accent);
      min-height: 32px;
    }
    input[type="checkbox"],
    input[type="radio"] {
      width: 20px;
      height: 20px;
      flex: none;
      accent-color: var(--accent);
      margin: 0;
    }
    .tick {
      display: flex;
      gap: 0.6rem;
      align-items: center;
      font-weight: 400;
      min-height: 36px;
    }
    .spread {
      justify-content: space-between;
    }
  `,
];
