/** How a member, an officer or an agency is called. */

import { html, nothing, type TemplateResult } from "lit";
import type { Home } from "../hub/home";
import { texts } from "../texts";

/** Return a name, with what it stands for. */
export function person(home: Home, subjectId: string): TemplateResult {
  const { state } = home.copy;
  const subject = state.subject(subjectId);
  if (!subject) return html`<span>${texts.post.unknown}</span>`;
  let role: string | null = null;
  if (subject.kind === "officer") {
    role = texts.post.officer((subject.agency && state.subject(subject.agency)?.name) ?? "");
  } else if (subject.standing === "host") {
    role = texts.post.host;
  } else if (subject.standing === "moderator") {
    role = texts.post.moderator;
  } else if (subject.standing === "removed" || subject.standing === "left") {
    role = texts.post.gone;
  }
  const me = home.me?.id === subjectId;
  return html`<bdi class="name">${subject.name}</bdi>${me ? html` <span class="chip">${texts.post.you}</span>` : nothing}${role ===
    null
      ? nothing
      : html` <span class="chip"><bdi>${role}</bdi></span>`}`;
}
