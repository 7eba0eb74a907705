/** The neighborhood, its rules and hub; the member, the key, and leaving. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { NotSent, type Home } from "../hub/home";
import { fingerprint } from "../protocol/keys";
import { count, distance, errorText, texts } from "../texts";
import type { Dialogs } from "./dialogs";
import { facts, factStyles } from "./facts";
import { HomeController } from "./home-controller";
import { base } from "./styles";
import "./own-page";

declare const VERSION: string;

@customElement("rw-about")
export class About extends LitElement {
  static override styles = [
    base,
    factStyles,
    css`
      .error {
        color: var(--on-bad);
        background: var(--bad);
        padding: 0.5rem 0.75rem;
        border-radius: 10px;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) dialogs!: Dialogs;
  @state() private error = "";

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult {
    const { state: hood } = this.home.copy;
    const { name, rules, radius_m, mode, post_days, media_days } = hood.hood;
    const { url, hubKey, key } = this.home.membership;
    const { me } = this.home;
    return html`<div class="stack">
      <section class="card stack" aria-labelledby="title">
        <h1 id="title" tabindex="-1" class="said">${name}</h1>
        ${facts([
          [texts.join.host, hood.host.name],
          [texts.join.members, count(hood.count("members"))],
          [texts.join.radius, texts.join.radiusValue(distance(radius_m))],
          [texts.join.moderation, mode === "before" ? texts.join.before : texts.join.after],
          [texts.join.keeps, texts.join.keepsValue(post_days, media_days)],
          [texts.join.address, url],
          [texts.join.fingerprint, html`<span class="digits" dir="ltr">${fingerprint(hubKey)}</span>`],
        ])}
        <p class="small muted">${texts.about.checked(count(hood.position.number))}</p>
      </section>
      <section class="card stack" aria-labelledby="rules">
        <h2 id="rules">${texts.about.rules}</h2>
        <p class="said" dir="auto">${rules || texts.join.noRules}</p>
      </section>
      <section class="card stack" aria-labelledby="you">
        <h2 id="you">${texts.about.you}</h2>
        ${facts([
          [texts.about.name, me?.name ?? ""],
          [texts.about.key, html`<span class="digits" dir="ltr">${fingerprint(key.publicKey)}</span>`],
        ])}
        <div class="row">
          ${key.kind === "sealed" ? html`<button @click=${this.saveKey}>${texts.about.keyFile}</button>` : nothing}
          ${me && me.standing !== "host" ? html`<button @click=${this.leave}>${texts.about.leave}</button>` : nothing}
          <button @click=${() => this.dispatchEvent(new CustomEvent("add", { bubbles: true, composed: true }))}>${texts.about.add}</button>
        </div>
        ${this.error ? html`<p class="error small" role="alert">${this.error}</p>` : nothing}
      </section>
      <rw-own-page joined></rw-own-page>
      <p class="small muted">${texts.about.pageLead} ${texts.about.version(VERSION)}.</p>
    </div>`;
  }

  private readonly saveKey = (): void => {
    const { key, url, neighborhood, hubKey } = this.home.membership;
    if (key.kind !== "sealed") return;
    const file = new Blob([JSON.stringify({ ringwatch_key: 1, url, neighborhood, hubKey, ...key }, null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = "ringwatch-key.json";
    link.click();
    setTimeout(() => {
      URL.revokeObjectURL(link.href);
    }, 10_000);
  };

  private readonly leave = async (): Promise<void> => {
    if (!(await this.dialogs.leave())) return;
    try {
      await this.home.submit("member", { action: "leave" });
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      this.error = errorText(error.code);
    }
  };
}
