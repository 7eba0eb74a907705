/** What the officer's pages look like beside what all pages share: forms with more than one column. */

import { css } from "lit";

export const officerStyles = css`
  .spread {
    justify-content: space-between;
  }
  .pair {
    display: grid;
    gap: 1rem;
    align-items: start;
    grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
  }
  .field {
    grid-template-columns: minmax(0, 1fr);
  }
  .single {
    max-width: 44rem;
  }
  select,
  input[type="datetime-local"],
  input[type="date"] {
    font: inherit;
    width: 100%;
    min-height: 44px;
    color: var(--text);
    background: var(--field);
    border: 1px solid var(--field-line);
    border-radius: 12px;
    padding: 0.5rem 0.75rem;
  }
  select:disabled {
    opacity: 0.6;
  }
  textarea.short {
    min-height: 4rem;
  }
  .error {
    color: var(--on-bad);
    background: var(--bad);
    padding: 0.75rem 1rem;
    border-radius: 12px;
  }
  rw-map.low {
    --map-height: 16rem;
  }
  progress {
    width: 100%;
    accent-color: var(--accent);
  }
  input[type="file"] {
    max-width: 100%;
    font: inherit;
  }
`;
