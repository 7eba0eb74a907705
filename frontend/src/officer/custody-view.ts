/** A custody record in words, with the clips that it speaks of. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Home } from "../hub/home";
import { fingerprint } from "../protocol/keys";
import { bytes, days, duration } from "../texts";
import { facts, factStyles } from "../ui/facts";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { CustodyClip, Identity } from "./custody";
import type { KnownDelivery } from "./desk";
import type { Opened } from "./opening";
import { save } from "./saving";
import { officerStyles } from "./styles";
import { exact, exactUtc, words } from "./words";

@customElement("rw-custody")
export class CustodyView extends LitElement {
  static override styles = [
    base,
    officerStyles,
    factStyles,
    css`
      .clip {
        border-top: 1px solid var(--line);
        padding-top: 1rem;
      }
      video {
        width: 100%;
        max-height: 70vh;
        border-radius: 12px;
        background: #000;
      }
      summary {
        cursor: pointer;
      }
      .how li {
        padding: 0.25rem 0;
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) opened!: Opened;
  @property({ attribute: false }) known!: KnownDelivery;
  @state() private playing: { file: string; url: string; failed: boolean } | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
  }

  override render(): TemplateResult {
    const t = words.custody;
    const { custody } = this.opened;
    const { terms } = custody;
    return html`<section class="card stack" aria-labelledby="title" id="custody">
      <div class="row spread">
        <h2 id="title">${t.title}</h2>
        <div class="row">
          <button class="primary" id="save" @click=${this.saveAll}>${t.saveAll}</button>
          <button class="quiet" id="words" @click=${this.saveWords}>${t.saveWords}</button>
        </div>
      </div>
      ${facts([
        [t.from, this.giver(custody.identity)],
        [t.packed, exact(custody.created * 1000)],
        [t.terms, t.termsValue(days(terms.retentionDays), words.sharing[terms.sharing] ?? terms.sharing, words.faceRecognition[terms.faceRecognition] ?? terms.faceRecognition)],
        [t.software, custody.software],
        [t.deliveryKey, html`<span class="digits small" dir="ltr">${fingerprint(custody.deliveryKey)}</span>`],
      ])}
      ${custody.clips.map((clip, at) => this.clip(clip, at + 1))}
      <details>
        <summary>${t.how}</summary>
        <ol class="how small">
          ${custody.verify.map((sentence) => html`<li dir="auto">${sentence}</li>`)}
        </ol>
      </details>
    </section>`;
  }

  private giver({ kind, name, address, memberKey }: Identity): TemplateResult {
    const t = words.custody;
    if (kind === "anonymous" || memberKey === null) return html`${t.anonymous}`;
    const member = this.home.copy.state.author(memberKey);
    const handle = member && this.home.copy.state.subject(member.subject)?.name;
    return html`<bdi><strong>${name}</strong></bdi>${address === null ? nothing : html`<br /><bdi>${address}</bdi>`}<br />
      <span class="small muted">${handle ? t.memberIs(handle) : t.memberUnknown}</span>`;
  }

  private clip(clip: CustodyClip, number: number): TemplateResult {
    const t = words.custody;
    const { playing } = this;
    const isPlaying = playing?.file === clip.file;
    return html`<section class="stack clip" data-file=${clip.file}>
      <div class="row spread">
        <h3>${t.clip(number)} <span class="small muted">${duration(clip.end - clip.start)}, ${bytes(clip.size)}</span></h3>
        <div class="row">
          <button class="play" @click=${() => { if (isPlaying) this.stop(); else this.play(clip.file); }}>${icon("play")} ${isPlaying ? t.hide : t.play}</button>
          <button class="quiet" @click=${() => { this.saveClip(clip.file); }}>${t.saveClip}</button>
        </div>
      </div>
      ${isPlaying ? html`<video controls autoplay playsinline .src=${playing.url} @error=${() => (this.playing = { ...playing, failed: true })}></video>` : nothing}
      ${isPlaying && playing.failed ? html`<p class="note bad">${icon("warning")}<span>${t.unplayable}</span></p>` : nothing}
      ${facts([
        [t.camera, clip.camera],
        [t.recorded, html`${exact(clip.start)} – ${exact(clip.end)}<br /><span class="small muted">${exactUtc(clip.start)}</span>`],
        [t.clock, clockText(clip)],
        [t.changes, changesText(clip)],
      ])}
      <p class="small muted">
        ${t.sha256}: <span class="digits" dir="ltr">${clip.sha256}</span>
        ${clip.original.sha256 === clip.sha256 ? nothing : html`<br />${t.original}: <span class="digits" dir="ltr">${clip.original.sha256}</span>`}
      </p>
    </section>`;
  }

  private play(file: string): void {
    this.stop();
    const clip = this.opened.clips.get(file);
    if (clip) this.playing = { file, url: URL.createObjectURL(clip), failed: false };
  }

  private stop(): void {
    if (this.playing) URL.revokeObjectURL(this.playing.url);
    this.playing = null;
  }

  private get name(): string {
    return `ringwatch-${this.opened.custody.deliveryKey.slice(0, 8)}`;
  }

  private saveClip(file: string): void {
    const clip = this.opened.clips.get(file);
    if (clip) save(clip, `${this.name}-${file.replace("data/", "")}`);
  }

  private readonly saveAll = (): void => {
    save(new Blob([this.opened.archive], { type: "application/zip" }), `${this.name}.zip`);
    this.dispatchEvent(new CustomEvent("saved"));
  };

  /** The hub's word of the arrival isn't in the package: it came after it. */
  private readonly saveWords = (): void => {
    const { arrival, receipts } = this.known;
    const text = JSON.stringify({ arrival, hub_key: this.home.membership.hubKey, receipts }, null, 2);
    save(new Blob([text], { type: "application/json" }), `${this.name}-signed.json`);
  };
}

function clockText({ clock }: CustodyClip): string {
  if (clock.offset_ms === null) return words.custody.clockUnknown(clock.how);
  return words.custody.clockOffset(clock.how || clock.source, `${Math.abs(clock.offset_ms) / 1000} s`, clock.offset_ms < 0);
}

function changesText({ changes, sha256, original }: CustodyClip): string {
  const t = words.custody;
  const done = Object.entries(t.change).flatMap(([name, text]) => (changes[name as keyof typeof changes] === true ? [text] : []));
  if (changes.boxes) done.push(t.boxes(changes.boxes));
  return done.length || sha256 !== original.sha256 ? done.join("; ") || (t.change.encoded ?? "") : t.unchanged;
}
