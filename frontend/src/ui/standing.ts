/** How it stands with a hub, in words: beside the name, and above everything else where something is wrong. */

import { html, nothing, type TemplateResult } from "lit";
import type { Home } from "../hub/home";
import { count, texts } from "../texts";
import { icon } from "./icons";

/** Say in a few words whether the hub is there and what it does. */
export function phaseText({ phase, behind, membership }: Home): string {
  if (phase === "trouble") return membership.trouble?.code === "newer_version" ? texts.trouble.newerTitle : texts.trouble.title;
  if (phase === "removed") return texts.removed.title;
  if (phase === "catching_up" && behind > 0) return texts.phase.behind(count(behind));
  if (phase === "offline" || phase === "busy") return texts.phase[phase].split(".")[0] ?? "";
  return texts.phase[phase];
}

/** What somebody should know before reading on. */
export function standing(home: Home, note: string): TemplateResult {
  const { phase, membership, clock, copy } = home;
  const known = copy.state.isFounded ? copy.state.hood : null;
  const caughtUp = phase === "live" && known !== null && membership.shown.name !== "";
  const differs = caughtUp && (membership.shown.name !== known.name || membership.shown.rules !== known.rules);
  return html`
    ${phase === "trouble" ? trouble(home) : nothing}
    ${phase === "offline" || phase === "busy"
      ? html`<div class="note" role="status">
          ${icon("warning")}
          <div class="stack">
            <p>${texts.phase[phase]}</p>
            <div><button @click=${() => home.retry()}>${texts.retry}</button></div>
          </div>
        </div>`
      : nothing}
    ${home.isSending && phase !== "live" && phase !== "removed" ? html`<p class="note" role="status">${icon("time")}<span>${texts.sendingOne}</span></p>` : nothing}
    ${clock.isFarOff ? html`<p class="note" id="clock">${icon("time")}<span>${texts.clockOff(Math.round(Math.abs(clock.offset) / 60))}</span></p>` : nothing}
    ${differs ? html`<p class="note">${icon("warning")}<span>${texts.rulesDiffer}</span></p>` : nothing}
    ${note ? html`<p class="note bad" role="alert">${icon("warning")}<span>${note}</span></p>` : nothing}
  `;
}

function trouble(home: Home): TemplateResult {
  const { trouble: found } = home.membership;
  const t = texts.trouble;
  if (found?.code === "newer_version") {
    return html`<section class="note" role="alert" id="trouble">
      ${icon("warning")}
      <div class="stack">
        <h2>${t.newerTitle}</h2>
        <p>${t.newer}</p>
        <div><button @click=${() => home.retry()}>${texts.retry}</button></div>
      </div>
    </section>`;
  }
  return html`<section class="note bad" role="alert" id="trouble">
    ${icon("warning")}
    <div class="stack">
      <h2>${t.title}</h2>
      <p><strong>${t.codes[found?.code ?? ""] ?? t.other}</strong></p>
      <p>${home.copy.state.isFounded ? t.stopped : t.nothing} ${t.ask}</p>
      <p class="small">${t.technical}: <span class="digits">${found?.code}: ${found?.about}</span></p>
      <div><button @click=${() => home.retry()}>${texts.retry}</button></div>
    </div>
  </section>`;
}
