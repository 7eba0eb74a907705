/** One clip that matches: seen, trimmed, muted, parts of it hidden; or shown full screen at the door. */

import { css, html, LitElement, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { bytes, duration, when } from "../texts";
import { Api, messageOf, type Box, type Clip, type Selection, type Settings } from "./api";
import { panel } from "./styles";
import { words } from "./words";

const SMALLEST = 0.02; // of the picture: a click is no box
const LEAST_S = 0.2; // that is left of a clip
const MAX_BOXES = 20;

type Drawing = "" | "hide" | "keep";

@customElement("rw-clip-editor")
export class ClipEditor extends LitElement {
  static override styles = [
    ...panel,
    css`
      .frame {
        position: relative;
        background: #000;
        border-radius: 12px;
        overflow: hidden;
      }
      video {
        display: block;
        width: 100%;
        max-height: 60vh;
        object-fit: contain;
      }
      .over {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }
      .over.drawing {
        pointer-events: auto;
        cursor: crosshair;
        touch-action: none;
      }
      .top {
        display: grid;
        gap: 1rem;
        grid-template-columns: 10rem minmax(0, 1fr);
        align-items: start;
      }
      .top img {
        width: 100%;
        border-radius: 10px;
        background: #000;
      }
      @media (max-width: 30rem) {
        .top {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .door {
        position: fixed;
        inset: 0;
        z-index: 100;
        background: #000;
        width: 100vw;
        height: 100vh;
        max-height: none;
      }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @property({ attribute: false }) clip!: Clip;
  @property() request = "";
  @property({ attribute: false }) selection: Selection | null = null;
  @property({ attribute: false }) settings!: Settings;
  @property({ type: Boolean }) full = false;
  @state() private drawing: Drawing = "";
  @state() private drawn: Box | null = null;
  @state() private failed = "";
  @state() private ratio = 16 / 9;
  @query("video") private video!: HTMLVideoElement | null;
  @query("svg.over") private over!: SVGSVGElement | null;
  private from: [number, number] | null = null;

  override render(): TemplateResult {
    const { clip, selection } = this;
    return html`<div class="stack">
      <div class="top">
        <img src=${clip.thumbnail} alt="" loading="lazy" />
        <div class="stack">
          <div>
            <strong class="said">${clip.camera}</strong>
            <p class="muted">${when(Math.floor(clip.start_ms / 1000))} · ${duration(clip.duration_s * 1000)} · ${bytes(clip.size_bytes)}</p>
          </div>
          <div class="row">
            <label class="tick"><input type="checkbox" .checked=${selection !== null} ?disabled=${!selection && this.full} @change=${this.toggle} /> ${selection ? words.clips.chosen : words.clips.choose}</label>
            <button class="quiet" @click=${this.door}>${words.clips.door}</button>
          </div>
        </div>
      </div>
      ${this.failed ? html`<p class="error" role="alert">${words.failed} ${this.failed}</p>` : nothing} ${selection ? this.editing(selection) : nothing}
    </div>`;
  }

  private editing(selection: Selection): TemplateResult {
    const t = words.clips;
    const length = this.clip.duration_s;
    const end = selection.end_s ?? length;
    const drawing = this.drawing === "hide" ? t.drawHide : this.drawing === "keep" ? t.drawKeep : "";
    return html`<div class="stack">
      <div class="frame">
        <video src=${this.clip.clip} controls playsinline preload="metadata" @loadedmetadata=${this.sized}></video>
        ${this.boxes(selection)}
      </div>
      ${this.clip.codec === "hevc" ? html`<p class="muted small">${t.h265}</p>` : nothing} ${drawing ? html`<p class="note" role="status">${drawing}</p>` : nothing}
      <h3>${t.edit}</h3>
      <div>
        <label for="from">${t.from} ${t.at(selection.start_s)}</label>
        <input id="from" type="range" min="0" max=${length} step="any" .value=${String(selection.start_s)} @input=${this.moveStart} />
        <label for="to">${t.to} ${t.at(end)}</label>
        <input id="to" type="range" min="0" max=${length} step="any" .value=${String(end)} @input=${this.moveEnd} />
      </div>
      <div>
        ${this.clip.has_sound
          ? html`<label class="tick"><input type="checkbox" .checked=${selection.mute} @change=${(event: Event) => { this.set({ mute: checked(event) }); }} /> ${t.mute}</label>`
          : nothing}
        <label class="tick"><input type="checkbox" .checked=${selection.blur_faces} @change=${(event: Event) => { this.set({ blur_faces: checked(event) }); }} /> ${t.faces}</label>
        ${selection.blur_faces && this.settings.faces !== "ready" ? html`<p class="error">${t.facesMissing} <button class="quiet" @click=${this.settle}>${words.tabs.settings}</button></p>` : nothing}
      </div>
      <div class="row">
        <button aria-pressed=${this.drawing === "hide"} @click=${() => { this.draw("hide"); }}>${t.hide}</button>
        <button aria-pressed=${this.drawing === "keep"} @click=${() => { this.draw("keep"); }}>${t.keep}</button>
        ${selection.boxes.length || selection.keep_only ? html`<button class="quiet" @click=${() => { this.set({ boxes: [], keep_only: null }); }}>${t.clear}</button>` : nothing}
      </div>
    </div>`;
  }

  /** The boxes over the picture, which may be narrower or lower than its frame. */
  private boxes(selection: Selection): TemplateResult {
    const shown = [...selection.boxes, ...(this.drawn && this.drawing === "hide" ? [this.drawn] : [])];
    const kept = this.drawn && this.drawing === "keep" ? this.drawn : selection.keep_only;
    const width = this.ratio;
    const rect = ([left, top, right, bottom]: Box) =>
      svg`<rect x=${left * width} y=${top} width=${(right - left) * width} height=${bottom - top} fill="rgb(0 0 0 / 0.75)" stroke="#fff" stroke-width="0.004" />`;
    return html`<svg
      class="over ${this.drawing ? "drawing" : ""}"
      viewBox="0 0 ${width} 1"
      preserveAspectRatio="xMidYMid meet"
      @pointerdown=${this.pressed}
      @pointermove=${this.dragged}
      @pointerup=${this.released}
      @pointercancel=${() => (this.drawn = this.from = null)}
    >
      ${kept
        ? svg`<path fill-rule="evenodd" fill="rgb(0 0 0 / 0.75)" d="M0 0H${width}V1H0Z M${kept[0] * width} ${kept[1]}H${kept[2] * width}V${kept[3]}H${kept[0] * width}Z" />`
        : nothing}
      ${shown.map(rect)}
    </svg>`;
  }

  private readonly sized = (): void => {
    const { video } = this;
    if (video?.videoWidth) this.ratio = video.videoWidth / video.videoHeight;
  };

  private draw(what: Drawing): void {
    this.drawing = this.drawing === what ? "" : what;
    this.video?.pause();
  }

  private point(event: PointerEvent): [number, number] | null {
    const matrix = this.over?.getScreenCTM()?.inverse();
    if (!matrix) return null;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    const within = (value: number): number => Math.min(1, Math.max(0, value));
    return [within(x / this.ratio), within(y)];
  }

  private readonly pressed = (event: PointerEvent): void => {
    if (!this.drawing) return;
    this.over?.setPointerCapture(event.pointerId);
    this.from = this.point(event);
  };

  private readonly dragged = (event: PointerEvent): void => {
    const to = this.from && this.point(event);
    if (!this.from || !to) return;
    const [x, y] = this.from;
    this.drawn = [Math.min(x, to[0]), Math.min(y, to[1]), Math.max(x, to[0]), Math.max(y, to[1])];
  };

  private readonly released = (): void => {
    const box = this.drawn;
    this.drawn = this.from = null;
    if (!box || box[2] - box[0] < SMALLEST || box[3] - box[1] < SMALLEST) return;
    const selection = this.selection;
    if (!selection) return;
    if (this.drawing === "keep") this.set({ keep_only: box });
    else if (selection.boxes.length < MAX_BOXES) this.set({ boxes: [...selection.boxes, box] });
    this.drawing = "";
  };

  private readonly toggle = (event: Event): void => {
    const begun: Selection = {
      id: this.clip.id, start_s: 0, end_s: null, mute: true, blur_faces: this.settings.blur_faces, boxes: [], keep_only: null,
    };
    this.tell(checked(event) ? begun : null);
  };

  private readonly moveStart = (event: Event): void => {
    const end = this.selection?.end_s ?? this.clip.duration_s;
    const start = Math.min(Number((event.target as HTMLInputElement).value), Math.max(0, end - LEAST_S));
    this.set({ start_s: start });
    this.seek(start);
  };

  private readonly moveEnd = (event: Event): void => {
    const least = (this.selection?.start_s ?? 0) + LEAST_S;
    const end = Math.max(Number((event.target as HTMLInputElement).value), least);
    this.set({ end_s: end >= this.clip.duration_s - LEAST_S / 4 ? null : end });
    this.seek(end);
  };

  private readonly settle = (): void => {
    this.dispatchEvent(new CustomEvent("settings", { bubbles: true, composed: true }));
  };

  private seek(time: number): void {
    if (this.video) this.video.currentTime = time;
  }

  private set(changes: Partial<Selection>): void {
    if (this.selection) this.tell({ ...this.selection, ...changes });
  }

  private tell(selection: Selection | null): void {
    this.dispatchEvent(new CustomEvent("selected", { detail: selection }));
  }

  /** Play the clip full screen for somebody at the door. That is a disclosure, and is logged like one. */
  private readonly door = async (): Promise<void> => {
    this.failed = "";
    try {
      const { url } = await this.api.ask<{ url: string }>("door", { clip: this.clip.id, request: this.request });
      const video = document.createElement("video");
      video.src = url;
      video.controls = true;
      video.autoplay = true;
      video.playsInline = true;
      video.className = "door";
      const close = (): void => {
        if (!document.fullscreenElement) video.remove();
      };
      video.addEventListener("fullscreenchange", close);
      video.addEventListener("ended", () => {
        if (document.fullscreenElement) void document.exitFullscreen();
        else video.remove();
      });
      this.renderRoot.append(video);
      await video.requestFullscreen().catch(() => undefined); // without it, it fills the window
    } catch (error) {
      this.failed = messageOf(error);
    }
  };
}

const checked = (event: Event): boolean => (event.target as HTMLInputElement).checked;
