/**
 * A map without a map: nothing is loaded, so nobody learns where an officer looks. It shows degrees, the neighborhood's circle, the
 * agency's jurisdiction, areas that were asked for, and what is being drawn; by pointer, touch or keyboard.
 */

import { html, LitElement, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Place } from "../../protocol/places";
import { distance } from "../../texts";
import { icon } from "../../ui/icons";
import { base } from "../../ui/styles";
import { words } from "../words";
import { barLength, clampScale, degrees, graticuleStep, Projection, viewOf, type Point, type View } from "./projection";
import { mapStyles } from "./styles";

const MAX_CORNERS = 32;
const CLICK_PX = 6; // a pointer that moved less has clicked
const PAN_PX = 48; // a press of an arrow key
const NUDGE_M = 10;
const BOX_M = 200; // half a side of the first square: 0.16 km2
const ZOOM = 1.5;

/** What somebody is doing with it: looking, drawing an area, or pointing at a place. */
export type MapMode = "look" | "draw" | "point";

interface Drag {
  corner: number | null; // null: the map itself
  from: Point;
  view: View;
  moved: boolean;
}

@customElement("rw-map")
export class MapView extends LitElement {
  static override styles = [base, mapStyles];

  @property({ attribute: false }) center!: Place;
  @property({ type: Number }) radius = 0;
  @property({ attribute: false }) jurisdiction: readonly Place[] = [];
  @property({ attribute: false }) corners: readonly Place[] = [];
  @property({ attribute: false }) circle: { place: Place; radius_m: number } | null = null;
  @property() mode: MapMode = "look";
  @property({ type: Boolean }) wrong = false;
  @state() private view: View | null = null;
  @state() private width = 600;
  @state() private height = 400;
  @state() private focused = false;
  private readonly pointers = new Map<number, Point>();
  private drag: Drag | null = null;
  private readonly sized = new ResizeObserver(([entry]) => {
    if (!entry) return;
    this.width = Math.max(1, entry.contentRect.width);
    this.height = Math.max(1, entry.contentRect.height);
  });

  override firstUpdated(): void {
    const picture = this.renderRoot.querySelector("svg.map");
    if (!picture) return;
    this.sized.observe(picture);
    picture.addEventListener("wheel", this.wheeled as EventListener, { passive: false });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sized.disconnect();
  }

  override render(): TemplateResult {
    const t = words.map;
    const view = this.current();
    const help = this.mode === "draw" ? `${t.help} ${t.helpDraw}` : t.help;
    return html`<div class="frame">
        <svg
          class="map ${this.mode}"
          viewBox="0 0 ${this.width} ${this.height}"
          tabindex="0"
          role="application"
          aria-label="${t.label}. ${help}"
          @pointerdown=${this.pressed}
          @pointermove=${this.moved}
          @pointerup=${this.released}
          @pointercancel=${this.cancelled}
          @keydown=${this.typed}
          @focus=${() => (this.focused = true)}
          @blur=${() => (this.focused = false)}
        >
          ${this.graticule(view)} ${this.world(view)} ${this.drawing(view)} ${this.furniture(view)}
        </svg>
        <div class="buttons">
          <button type="button" aria-label=${t.zoomIn} title=${t.zoomIn} @click=${() => { this.zoom(1 / ZOOM); }}>+</button>
          <button type="button" aria-label=${t.zoomOut} title=${t.zoomOut} @click=${() => { this.zoom(ZOOM); }}>−</button>
          <button type="button" aria-label=${t.fit} title=${t.fit} @click=${() => { this.fit(); }}>${icon("place")}</button>
        </div>
      </div>
      <div class="legend small muted">
        ${legend("hood", t.legendHood)} ${this.jurisdiction.length ? legend("jurisdiction", t.legendJurisdiction) : nothing}
        ${this.corners.length ? legend("area", t.legendArea) : nothing} ${this.circle ? legend("search", t.legendCircle) : nothing}
      </div>`;
  }

  private get projection(): Projection {
    return new Projection(this.center);
  }

  private current(): View {
    return this.view ?? this.everything();
  }

  private everything(): View {
    const middle = this.projection.toMetres(this.center);
    const r = this.radius;
    const corners = this.corners.map((corner) => this.projection.toMetres(corner));
    const around = [
      { x: middle.x - r, y: middle.y - r },
      { x: middle.x + r, y: middle.y + r },
    ];
    return viewOf(this.mode === "look" && corners.length ? growing(corners, r / 2) : [...around, ...corners], this.width, this.height);
  }

  private fit(): void {
    this.view = null;
  }

  private toScreen(view: View, { x, y }: Point): Point {
    return { x: (x - view.x) / view.scale + this.width / 2, y: (y - view.y) / view.scale + this.height / 2 };
  }

  private fromScreen(view: View, { x, y }: Point): Point {
    return { x: (x - this.width / 2) * view.scale + view.x, y: (y - this.height / 2) * view.scale + view.y };
  }

  private placed(view: View, place: Place): Point {
    return this.toScreen(view, this.projection.toMetres(place));
  }

  private path(view: View, corners: readonly Place[]): string {
    return corners.map((corner, at) => `${at ? "L" : "M"}${write(this.placed(view, corner))}`).join("");
  }

  private graticule(view: View): SVGTemplateResult {
    const step = graticuleStep(view.scale);
    const a = this.projection.toPlace(this.fromScreen(view, { x: 0, y: this.height }));
    const b = this.projection.toPlace(this.fromScreen(view, { x: this.width, y: 0 }));
    const between = (low: number, high: number): number[] => {
      const first = Math.ceil(low / step) * step;
      return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, place) => first + place * step);
    };
    return svg`
      ${between(a.lat_e6, b.lat_e6).map((lat_e6) => {
        const { y } = this.placed(view, { lat_e6, lon_e6: a.lon_e6 });
        return svg`<line class="line" x1="0" x2=${this.width} y1=${y} y2=${y} />${y > 30 && y < this.height - 48 ? svg`<text class="degrees" x="6" y=${y - 4}>${degrees(lat_e6, step)}</text>` : nothing}`;
      })}
      ${between(a.lon_e6, b.lon_e6).map((lon_e6) => {
        const { x } = this.placed(view, { lat_e6: a.lat_e6, lon_e6 });
        return svg`<line class="line" x1=${x} x2=${x} y1="0" y2=${this.height} />${x > 30 && x < this.width - 110 ? svg`<text class="degrees" x=${x + 4} y="14">${degrees(lon_e6, step)}</text>` : nothing}`;
      })}
    `;
  }

  private world(view: View): SVGTemplateResult {
    const middle = this.placed(view, this.center);
    const border = this.path(view, this.jurisdiction);
    const frame = `M-9 -9H${this.width + 9}V${this.height + 9}H-9Z`;
    const search = this.circle && this.placed(view, this.circle.place);
    return svg`
      <circle class="hood" cx=${middle.x} cy=${middle.y} r=${this.radius / view.scale} />
      ${border ? svg`<path class="outside" d="${frame}${border}Z" /><path class="jurisdiction" d="${border}Z" />` : nothing}
      ${this.circle && search
        ? svg`<circle class="search" cx=${search.x} cy=${search.y} r=${this.circle.radius_m / view.scale} /><circle class="pin" cx=${search.x} cy=${search.y} r="6" />`
        : nothing}
    `;
  }

  private drawing(view: View): SVGTemplateResult | typeof nothing {
    if (!this.corners.length) return nothing;
    const closed = this.corners.length > 2;
    const shape = svg`<path class="area ${this.wrong ? "bad" : ""}" d="${this.path(view, this.corners)}${closed ? "Z" : ""}" />`;
    if (this.mode !== "draw") return shape;
    const points = this.corners.map((corner) => this.placed(view, corner));
    return svg`${shape}
      ${closed && points.length < MAX_CORNERS
        ? points.map((point, at) => {
            const next = points[(at + 1) % points.length] ?? point;
            return svg`<circle class="middle" data-after=${at} cx=${(point.x + next.x) / 2} cy=${(point.y + next.y) / 2} r="6"><title>${words.map.between(at + 1)}</title></circle>`;
          })
        : nothing}
      ${points.map(
        ({ x, y }, at) => svg`<circle class="grip" data-corner=${at} cx=${x} cy=${y} r="20" />
          <circle class="handle" data-corner=${at} cx=${x} cy=${y} r="8" tabindex="0" role="button" aria-label=${words.map.corner(at + 1)} @keydown=${(event: KeyboardEvent) => { this.nudged(event, at); }} />`,
      )}`;
  }

  private furniture(view: View): SVGTemplateResult {
    const metres = barLength(view.scale);
    const length = metres / view.scale;
    const y = this.height - 16;
    const { x: cx, y: cy } = { x: this.width / 2, y: this.height / 2 };
    return svg`
      ${this.focused && this.mode !== "look" ? svg`<path class="cross" d="M${cx - 14} ${cy}H${cx + 14}M${cx} ${cy - 14}V${cy + 14}" fill="none" />` : nothing}
      <g class="bar">
        <line x1="16" x2=${16 + length} y1=${y} y2=${y} /><line x1="16" x2="16" y1=${y - 5} y2=${y + 1} /><line x1=${16 + length} x2=${16 + length} y1=${y - 5} y2=${y + 1} />
        <text x="16" y=${y - 9}>${barText(metres)}</text>
        <text x=${this.width - 26} y=${this.height - 14}>${words.map.north} ↑</text>
      </g>`;
  }

  // ---- pointers

  private readonly pressed = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const at = this.local(event);
    this.pointers.set(event.pointerId, at);
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    if (this.pointers.size > 1) {
      this.drag = null; // two fingers zoom
      return;
    }
    const target = event.target as SVGElement;
    let corner = numberOf(target.dataset.corner);
    const after = numberOf(target.dataset.after);
    if (after !== null) {
      const made = this.placeAt(at);
      this.change([...this.corners.slice(0, after + 1), made, ...this.corners.slice(after + 1)]);
      corner = after + 1;
    }
    this.view ??= this.current();
    this.drag = { corner: this.mode === "draw" ? corner : null, from: at, view: this.view, moved: after !== null };
  };

  private readonly moved = (event: PointerEvent): void => {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const at = this.local(event);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      this.pointers.set(event.pointerId, at);
      if (other) this.pinch(other, before, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    const { drag } = this;
    if (!drag) return;
    const dx = at.x - drag.from.x;
    const dy = at.y - drag.from.y;
    if (Math.hypot(dx, dy) > CLICK_PX) drag.moved = true;
    if (!drag.moved) return;
    if (drag.corner !== null) {
      const moving = drag.corner;
      const place = this.placeAt(at);
      this.change(this.corners.map((corner, number) => (number === moving ? place : corner)));
    } else {
      this.view = { ...drag.view, x: drag.view.x - dx * drag.view.scale, y: drag.view.y - dy * drag.view.scale };
    }
  };

  private readonly released = (event: PointerEvent): void => {
    const at = this.local(event);
    const { drag } = this;
    this.pointers.delete(event.pointerId);
    this.drag = null;
    if (drag && !drag.moved && drag.corner === null) this.set(at);
  };

  private readonly cancelled = (event: PointerEvent): void => {
    this.pointers.delete(event.pointerId);
    this.drag = null;
  };

  private pinch(still: Point, before: Point, now: Point): void {
    const was = Math.hypot(before.x - still.x, before.y - still.y);
    const is = Math.hypot(now.x - still.x, now.y - still.y);
    if (was > 1 && is > 1) this.zoom(was / is, still);
  }

  private readonly wheeled = (event: WheelEvent): void => {
    event.preventDefault();
    this.zoom(Math.exp(Math.sign(event.deltaY) * 0.18), this.local(event));
  };

  private zoom(factor: number, around: Point = { x: this.width / 2, y: this.height / 2 }): void {
    const view = this.current();
    const scale = clampScale(view.scale * factor);
    const fixed = this.fromScreen(view, around);
    this.view = { x: fixed.x - (around.x - this.width / 2) * scale, y: fixed.y - (around.y - this.height / 2) * scale, scale };
  }

  private local(event: MouseEvent): Point {
    const box = this.renderRoot.querySelector("svg.map")?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  }

  private placeAt(at: Point): Place {
    return this.projection.toPlace(this.fromScreen(this.current(), at));
  }

  // ---- what is drawn

  /** Set a corner, or the place, at a point of the picture. */
  private set(at: Point): void {
    const place = this.placeAt(at);
    this.view ??= this.current(); // or the map would jump to what is drawn
    if (this.mode === "draw" && this.corners.length < MAX_CORNERS) this.change([...this.corners, place]);
    else if (this.mode === "point") this.dispatchEvent(new CustomEvent("place", { detail: place }));
  }

  /** Draw a square in the middle of what is shown. */
  box(): void {
    const view = this.current();
    const corner = (x: number, y: number): Place => this.projection.toPlace({ x: view.x + x, y: view.y + y });
    this.change([corner(-BOX_M, -BOX_M), corner(BOX_M, -BOX_M), corner(BOX_M, BOX_M), corner(-BOX_M, BOX_M)]);
    this.view = { ...view, scale: clampScale(Math.min(view.scale, (6 * BOX_M) / Math.min(this.width, this.height))) };
  }

  private change(corners: readonly Place[]): void {
    this.corners = corners;
    this.dispatchEvent(new CustomEvent("corners", { detail: corners }));
  }

  // ---- keys

  private readonly typed = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.altKey || event.metaKey) return;
    const way = WAYS[event.key];
    if (way) {
      const view = this.current();
      this.view = { ...view, x: view.x + way.x * PAN_PX * view.scale, y: view.y + way.y * PAN_PX * view.scale };
    } else if (event.key === "+" || event.key === "=") this.zoom(1 / ZOOM);
    else if (event.key === "-") this.zoom(ZOOM);
    else if (event.key === "0") this.fit();
    else if (event.key === "Enter" || event.key === " ") this.set({ x: this.width / 2, y: this.height / 2 });
    else if ((event.key === "Delete" || event.key === "Backspace") && this.mode === "draw") this.change(this.corners.slice(0, -1));
    else return;
    event.preventDefault();
  };

  private nudged(event: KeyboardEvent, at: number): void {
    const way = WAYS[event.key];
    if (way) {
      const by = event.shiftKey ? 5 * NUDGE_M : NUDGE_M;
      this.view ??= this.current();
      this.change(
        this.corners.map((corner, number) => {
          if (number !== at) return corner;
          const { x, y } = this.projection.toMetres(corner);
          return this.projection.toPlace({ x: x + way.x * by, y: y + way.y * by });
        }),
      );
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.change(this.corners.filter((_, number) => number !== at));
      this.renderRoot.querySelector<SVGElement>("svg.map")?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const WAYS: Partial<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

function legend(kind: string, name: string): TemplateResult {
  return html`<span><svg viewBox="0 0 20 12" aria-hidden="true"><rect class=${kind} x="1.5" y="1.5" width="17" height="9" rx="2" /></svg>${name}</span>`;
}

function growing(points: Point[], by: number): Point[] {
  return points.flatMap(({ x, y }) => [{ x: x - by, y: y - by }, { x: x + by, y: y + by }]);
}

function write({ x, y }: Point): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function barText(metres: number): string {
  return metres < 1_000 ? `${metres} m` : distanceText(metres);
}

function distanceText(metres: number): string {
  return `${metres / 1_000} km (${distance(metres)})`;
}
