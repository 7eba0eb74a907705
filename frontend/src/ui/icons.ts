/** Small drawings, in the color of the text around them. */

import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const PATHS: Record<string, SVGTemplateResult> = {
  safety: svg`<path d="M12 3l7 3v5c0 4.6-2.9 8.3-7 10-4.1-1.7-7-5.4-7-10V6z"/><path d="M9 12l2.2 2.2L15.5 10"/>`,
  crime: svg`<path d="M12 4L2.8 19.5h18.4z"/><path d="M12 10v4.5M12 17v.2"/>`,
  package: svg`<path d="M4 8l8-4 8 4v8l-8 4-8-4z"/><path d="M4 8l8 4 8-4M12 12v8"/>`,
  lost_and_found: svg`<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>`,
  animal: svg`<circle cx="6.5" cy="11" r="1.6"/><circle cx="10" cy="7" r="1.6"/><circle cx="14" cy="7" r="1.6"/><circle cx="17.5" cy="11" r="1.6"/><path d="M12 12c-2.8 0-5 3-4.600 5 .4 1.900 2.600 1.600 4.600 1.600s4.200.3 4.600-1.600c.4-2-1.800-5-4.600-5z"/>`,
  environment: svg`<path d="M5 19c0-9 5-14 15-14 0 9-5 14-12 13"/><path d="M5 20c2-5 5-8 9-10"/>`,
  community: svg`<circle cx="9" cy="8.500" r="3"/><path d="M3.500 19c0-3.300 2.400-5.500 5.500-5.500s5.500 2.200 5.500 5.500"/><path d="M15.500 5.800a3 3 0 010 5.400M17 14c2.200.7 3.500 2.500 3.500 5"/>`,
  thanks: svg`<path d="M12 20s-7.500-4.600-7.500-10A4.200 4.200 0 0112 7.400 4.200 4.200 0 0119.500 10c0 5.400-7.500 10-7.500 10z"/>`,
  comment: svg`<path d="M4 5h16v11H10l-4.500 4V16H4z"/>`,
  flag: svg`<path d="M6 21V4M6 5h12l-2.500 4L18 13H6"/>`,
  undo: svg`<path d="M8 5L4 9l4 4"/><path d="M4 9h9a6 6 0 010 12h-3"/>`,
  place: svg`<path d="M12 21c-4-4.500-6-7.800-6-11a6 6 0 0112 0c0 3.200-2 6.500-6 11z"/><circle cx="12" cy="10" r="2"/>`,
  time: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.500 2"/>`,
  play: svg`<path d="M8 5.500v13l11-6.500z" fill="currentColor"/>`,
  picture: svg`<rect x="3.500" y="5" width="17" height="14" rx="2"/><path d="M4 17l5-5 4 4 2.500-2.500L20 18"/><circle cx="15.500" cy="9" r="1.300"/>`,
  back: svg`<path d="M14 5l-7 7 7 7"/>`,
  warning: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v6M12 16.500v.2"/>`,
  house: svg`<path d="M4 11l8-7 8 7v9h-5v-6H9v6H4z"/>`,
};

export function icon(name: string): TemplateResult {
  return html`<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${PATHS[name] ?? null}</svg>`;
}
