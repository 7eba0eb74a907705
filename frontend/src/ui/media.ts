/** A clip or a picture: fetched when it is wanted, shown from memory once its digest is right. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { CallError } from "../hub/client";
import type { Home } from "../hub/home";
import { download } from "../hub/media";
import type { Media } from "../protocol/bodies";
import { HubViolation } from "../protocol/violations";
import { bytes, count, duration, texts } from "../texts";
import { icon } from "./icons";
import { base } from "./styles";

type Step = "waiting" | "loading" | "shown" | "altered" | "failed";

@customElement("rw-media")
export class MediaView extends LitElement {
  static override styles = [
    base,
    css`
      .frame {
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 0.75rem;
        width: 100%;
        min-height: 9rem;
        padding: 1rem;
        border-radius: 12px;
        background: var(--chip);
        color: var(--on-chip);
        text-align: center;
      }
      button.frame {
        border: 0;
        font-weight: 500;
      }
      button.frame .round {
        display: grid;
        place-content: center;
        width: 3.5rem;
        height: 3.5rem;
        border-radius: 50%;
        background: var(--accent);
        color: var(--on-accent);
      }
      .frame.bad {
        background: var(--bad);
        color: var(--on-bad);
      }
      video,
      img {
        display: block;
        width: 100%;
        height: auto;
        max-height: 70vh;
        object-fit: contain;
        border-radius: 12px;
        background: #000;
      }
      progress {
        width: min(14rem, 60vw);
        accent-color: var(--accent);
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) media!: Media;
  @property() name = "";
  @state() private step: Step = "waiting";
  @state() private share = 0;
  @state() private unplayable = false;
  private url = "";
  private readonly ended = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ended.abort();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
  }

  override render(): TemplateResult {
    const { media } = this;
    const clip = media.type === "video/mp4";
    switch (this.step) {
      case "waiting": {
        const size = bytes(media.size);
        const label = clip ? texts.media.clip(duration(media.duration_ms), size) : texts.media.picture(size);
        return html`<button class="frame" @click=${this.fetch}>
          <span class="round">${icon(clip ? "play" : "picture")}</span>${label}
        </button>`;
      }
      case "loading":
        return html`<div class="frame">
          <progress max="1" value=${this.share} aria-label=${texts.media.loading}></progress>
          <span class="small">${texts.media.loading}</span>
        </div>`;
      case "altered":
        return html`<div class="frame bad" role="alert">${icon("warning")} ${texts.media.altered}</div>`;
      case "failed":
        return html`<div class="frame">
          <span>${texts.media.failed}</span><button @click=${this.fetch}>${texts.retry}</button>
        </div>`;
      case "shown":
        return clip ? this.clip() : this.picture();
    }
  }

  private clip(): TemplateResult {
    if (this.unplayable) {
      return html`<div class="frame">
        <span>${texts.media.unplayable}</span>
        <a class="button" href=${this.url} download=${`${this.media.sha256.slice(0, 12)}.mp4`}>${texts.media.save}</a>
      </div>`;
    }
    const { width, height } = this.media;
    return html`<video
      controls
      autoplay
      playsinline
      width=${width}
      height=${height}
      src=${this.url}
      aria-label=${texts.media.clipName(this.name)}
      @error=${() => (this.unplayable = true)}
    ></video>`;
  }

  private picture(): TemplateResult {
    const { width, height } = this.media;
    return html`<img width=${width} height=${height} src=${this.url} alt=${texts.media.pictureName(this.name)} />`;
  }

  private readonly fetch = async (): Promise<void> => {
    this.step = "loading";
    this.share = 0;
    try {
      const blob = await download(
        this.home.client,
        this.media,
        (share) => {
          this.share = share;
        },
        this.ended.signal,
      );
      this.url = URL.createObjectURL(blob);
      this.step = "shown";
    } catch (error) {
      if (error instanceof HubViolation) this.step = "altered";
      else if (error instanceof CallError) this.step = "failed";
      else throw error;
    }
  };
}

@customElement("rw-media-list")
export class MediaList extends LitElement {
  static override styles = [
    base,
    css`
      .grid {
        display: grid;
        gap: 0.75rem;
        grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr));
      }
    `,
  ];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) media: Media[] = [];
  @property({ type: Boolean }) gone = false;
  @property() name = "";

  override render(): TemplateResult | typeof nothing {
    if (!this.media.length) return nothing;
    if (this.gone) return html`<p class="muted small">${texts.media.gone(this.media.length)}</p>`;
    return html`<div class="grid" data-count=${count(this.media.length)}>
      ${this.media.map((media) => html`<rw-media .home=${this.home} .media=${media} .name=${this.name}></rw-media>`)}
    </div>`;
  }
}
