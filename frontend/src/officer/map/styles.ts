/** What the map looks like. */

import { css } from "lit";

export const mapStyles = css`
  :host {
    display: grid;
    gap: 0.5rem;
  }
  .frame {
    position: relative;
    border: 1px solid var(--line);
    border-radius: 14px;
    overflow: hidden;
    background: var(--field);
  }
  svg.map {
    display: block;
    width: 100%;
    height: var(--map-height, min(26rem, 62vh));
    touch-action: none;
    cursor: grab;
    user-select: none;
  }
  svg.map.draw,
  svg.map.point {
    cursor: crosshair;
  }
  svg.map:focus-visible {
    outline-offset: -3px;
  }
  .line {
    stroke: var(--line);
    stroke-width: 1;
  }
  .degrees {
    font-size: 11px;
    fill: var(--muted);
    font-variant-numeric: tabular-nums;
  }
  .hood {
    fill: color-mix(in srgb, var(--accent) 10%, transparent);
    stroke: var(--accent);
    stroke-width: 2;
  }
  .outside {
    fill: color-mix(in srgb, var(--muted) 22%, transparent);
    fill-rule: evenodd;
    pointer-events: none;
  }
  .jurisdiction {
    fill: none;
    stroke: var(--muted);
    stroke-width: 2;
    stroke-dasharray: 7 5;
  }
  .area {
    fill: color-mix(in srgb, var(--focus) 22%, transparent);
    stroke: var(--focus);
    stroke-width: 2.5;
    stroke-linejoin: round;
  }
  .area.bad {
    fill: color-mix(in srgb, var(--danger) 22%, transparent);
    stroke: var(--danger);
  }
  .search {
    fill: color-mix(in srgb, var(--focus) 14%, transparent);
    stroke: var(--focus);
    stroke-width: 2;
    stroke-dasharray: 3 4;
  }
  .pin {
    fill: var(--focus);
    stroke: var(--card);
    stroke-width: 2;
  }
  .handle {
    fill: var(--card);
    stroke: var(--focus);
    stroke-width: 3;
    cursor: move;
  }
  .handle:focus-visible {
    outline: none;
    stroke: var(--text);
    stroke-width: 5;
  }
  .grip {
    fill: transparent;
  }
  .middle {
    fill: var(--focus);
    opacity: 0.45;
    cursor: copy;
  }
  .middle:hover {
    opacity: 1;
  }
  .cross {
    stroke: var(--text);
    stroke-width: 1.5;
    pointer-events: none;
    opacity: 0.65;
  }
  .bar line {
    stroke: var(--text);
    stroke-width: 2;
  }
  .bar text {
    font-size: 12px;
    font-weight: 600;
    fill: var(--text);
    paint-order: stroke;
    stroke: var(--field);
    stroke-width: 3px;
  }
  .buttons {
    position: absolute;
    inset-block-start: 0.5rem;
    inset-inline-end: 0.5rem;
    display: grid;
    gap: 0.25rem;
  }
  .buttons button {
    width: 44px;
    padding: 0;
    background: var(--card);
    border: 1px solid var(--line);
    font-size: 1.25rem;
    line-height: 1;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
  }
  .legend span {
    display: inline-flex;
    align-items: center;
    gap: 0.4rem;
  }
  .legend svg {
    width: 20px;
    height: 12px;
  }
`;
