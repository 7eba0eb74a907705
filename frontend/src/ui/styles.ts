/** What all parts look like. Colors are in page.css, light and dark. */

import { css } from "lit";

export const base = css`
  :host {
    display: block;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul,
  ol {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h1,
  h2,
  h3 {
    line-height: 1.25;
    text-wrap: balance;
  }
  h1 {
    font-size: 1.6rem;
    letter-spacing: -0.01em;
  }
  h2 {
    font-size: 1.2rem;
  }
  .said {
    overflow-wrap: anywhere;
    white-space: pre-line;
    unicode-bidi: plaintext;
    text-align: start;
    overflow: clip; /* piled-up accents stay where they were written */
    overflow-clip-margin: 3px;
  }
  .muted {
    color: var(--muted);
  }
  .small {
    font-size: 0.875rem;
  }
  .stack {
    display: grid;
    gap: 1rem;
    grid-template-columns: minmax(0, 1fr);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    align-items: center;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 16px;
    padding: 1.25rem;
    box-shadow: var(--shadow);
  }
  svg {
    flex: none;
    vertical-align: -0.25em;
  }
  button,
  .button {
    font: inherit;
    font-weight: 600;
    color: var(--text);
    background: var(--button);
    border: 1px solid transparent;
    border-radius: 999px;
    padding: 0.55rem 1.1rem;
    min-height: 44px;
    cursor: pointer;
    display: inline-flex;
    gap: 0.5rem;
    align-items: center;
    justify-content: center;
    text-align: center;
    text-decoration: none;
    transition: background-color 0.12s;
  }
  button:hover:not(:disabled) {
    background: var(--button-hover);
  }
  button.primary {
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: var(--accent-hover);
  }
  button.danger {
    background: var(--danger);
    color: var(--on-danger);
  }
  button.danger:hover:not(:disabled) {
    background: var(--danger);
    filter: brightness(1.1);
  }
  button.quiet {
    background: none;
    color: var(--muted);
    font-weight: 500;
    padding: 0.5rem 0.75rem;
  }
  button.quiet:hover:not(:disabled) {
    background: var(--button);
    color: var(--text);
  }
  button:disabled {
    opacity: 0.55;
    cursor: default;
  }
  button[aria-pressed="true"].quiet {
    color: var(--accent-text);
    opacity: 1;
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  label {
    font-weight: 600;
  }
  input:not([type]),
  input[type="text"],
  input[type="search"],
  input[type="password"],
  textarea {
    font: inherit;
    width: 100%;
    color: var(--text);
    background: var(--field);
    border: 1px solid var(--field-line);
    border-radius: 12px;
    padding: 0.65rem 0.85rem;
    min-height: 44px;
  }
  textarea {
    min-height: 5.5rem;
    resize: vertical;
    display: block;
  }
  ::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  input[type="checkbox"],
  input[type="radio"] {
    width: 1.25rem;
    height: 1.25rem;
    margin: 0.1rem 0 0;
    accent-color: var(--accent);
    flex: none;
  }
  .choice {
    display: flex;
    gap: 0.75rem;
    align-items: flex-start;
    font-weight: 400;
    padding: 0.45rem 0;
    cursor: pointer;
  }
  .field {
    display: grid;
    gap: 0.35rem;
  }
  .note {
    display: flex;
    gap: 0.75rem;
    padding: 0.85rem 1rem;
    border-radius: 12px;
    background: var(--note);
    color: var(--on-note);
    align-items: flex-start;
  }
  .note > div {
    min-width: 0;
  }
  .note.bad {
    background: var(--bad);
    color: var(--on-bad);
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 0.3rem;
    border-radius: 999px;
    padding: 0.15rem 0.6rem;
    font-size: 0.8125rem;
    font-weight: 600;
    background: var(--chip);
    color: var(--on-chip);
    white-space: nowrap;
  }
  .chip.new {
    background: var(--accent);
    color: var(--on-accent);
  }
  .chip.alert {
    background: var(--danger);
    color: var(--on-danger);
  }
  .digits {
    font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }
  .away {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  dialog {
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--card);
    color: var(--text);
    padding: 1.5rem;
    width: min(32rem, calc(100vw - 2rem));
    max-height: calc(100dvh - 2rem);
    overflow-y: auto;
    box-shadow: 0 20px 60px rgb(0 0 0 / 0.35);
  }
  dialog::backdrop {
    background: rgb(10 15 20 / 0.55);
  }
  dialog .row {
    justify-content: flex-end;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;
