/** What this home has settled: time to undo, who it says it is, where its cameras are, what finds faces. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Api, messageOf, type Identity, type Settings } from "./api";
import { panel } from "./styles";
import { words } from "./words";

const UNDO_S = [0, 60, 300, 900, 1800, 3600, 4 * 3600, 24 * 3600];

@customElement("rw-settings")
export class SettingsView extends LitElement {
  static override styles = [
    ...panel,
    css`
      form {
        display: grid;
        gap: 0.75rem;
      }
      .camera {
        display: grid;
        gap: 0.5rem;
        border-top: 1px solid var(--line);
        padding-top: 0.75rem;
      }
      .camera .row {
        align-items: end;
      }
      .camera label {
        display: grid;
        gap: 0.25rem;
      }
      .camera input {
        width: 8.5rem;
      }
      fieldset {
        border: 0;
        margin: 0;
        padding: 0;
        min-width: 0;
      }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @property({ attribute: false }) settings!: Settings;
  @property({ type: Boolean }) allowed = false;
  @state() private failed = "";
  @state() private saved = false;

  override render(): TemplateResult {
    const t = words.settings;
    const { settings, allowed } = this;
    return html`<div class="stack">
      ${allowed ? nothing : html`<p class="note">${t.admin}</p>`} ${this.failed ? html`<p class="error" role="alert">${words.failed} ${this.failed}</p>` : nothing}
      ${this.saved ? html`<p class="note" role="status">${t.saved}</p>` : nothing}
      <fieldset ?disabled=${!allowed} class="stack">
        <section class="card stack">
          <div class="stack">
            <label for="undo">${t.undo}</label>
            <select id="undo" @change=${(event: Event) => void this.set({ undo_s: Number((event.target as HTMLSelectElement).value) })}>
              ${[...new Set([...UNDO_S, settings.undo_s])].sort((a, b) => a - b).map(
                (seconds) => html`<option value=${seconds} ?selected=${seconds === settings.undo_s}>${seconds ? t.span(seconds) : t.atOnce}</option>`,
              )}
            </select>
            <p class="muted small">${t.undoHint}</p>
          </div>
          <div>
            <label class="tick"><input type="checkbox" .checked=${settings.blur_faces} @change=${(event: Event) => void this.set({ blur_faces: checked(event) })} /> ${t.blur}</label>
            <label class="tick"><input type="checkbox" .checked=${settings.hold} @change=${(event: Event) => void this.set({ hold: checked(event) })} /> ${t.hold}</label>
            <p class="muted small">${t.holdHint}</p>
          </div>
        </section>
        <section class="card stack">
          <h2>${t.availability}</h2>
          <label class="tick"><input id="availability" type="checkbox" .checked=${settings.availability} @change=${(event: Event) => void this.set({ availability: checked(event) })} /> ${t.takePart}</label>
          ${t.availabilityHints.map((hint) => html`<p class="muted small">${hint}</p>`)}
        </section>
        <section class="card stack">
          <h2>${t.faces}</h2>
          <p>${t.facesStates[settings.faces]}</p>
          ${settings.faces === "no_model" || settings.faces === "no_ncnn" ? this.model() : nothing}
        </section>
        <section class="card">
          <form @submit=${this.saveWho}>
            <h2>${t.who}</h2>
            <label for="name">${t.name}</label>
            <input id="name" name="name" type="text" maxlength="80" autocomplete="name" .value=${settings.name} />
            <label for="address">${t.address}</label>
            <input id="address" name="address" type="text" maxlength="200" autocomplete="street-address" .value=${settings.address} />
            <label for="identity">${t.identity}</label>
            <select id="identity" name="identity">
              ${(["anonymous", "name", "address"] as Identity[]).map(
                (kind) => html`<option value=${kind} ?selected=${kind === settings.identity}>${identityName(kind)}</option>`,
              )}
            </select>
            <div><button class="primary">${t.save}</button></div>
          </form>
        </section>
        <section class="card stack">
          <h2>${t.cameras}</h2>
          <p class="muted">${t.camerasHint}</p>
          ${settings.cameras.map((camera) => this.camera(camera))}
        </section>
      </fieldset>
    </div>`;
  }

  /** Two ways to what finds faces: fetched, or files that the owner has put onto this machine. */
  private model(): TemplateResult {
    const t = words.settings;
    return html`<div><button class="primary" @click=${() => void this.ask("get_model", {})}>${t.fetch}</button></div>
      <form @submit=${this.take}>
        <label for="folder">${t.folder}</label>
        <input id="folder" name="folder" type="text" maxlength="4096" required placeholder="/media/models" spellcheck="false" autocapitalize="off" />
        <p class="muted small">${t.folderHint}</p>
        <div><button>${t.take}</button></div>
      </form>`;
  }

  private readonly take = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const folder = new FormData(event.target as HTMLFormElement).get("folder");
    if (typeof folder === "string") await this.ask("get_model", { folder });
  };

  private camera(camera: Settings["cameras"][number]): TemplateResult {
    const t = words.settings;
    return html`<form class="camera" @submit=${(event: SubmitEvent) => void this.place(event, camera.id)}>
      <strong class="said">${camera.name}</strong>
      <span class="muted small">${camera.own_place ? t.ownPlace : t.atHome}</span>
      <div class="row">
        <label class="small">${t.latitude} <input name="lat" type="number" step="any" min="-89" max="89" required .value=${String(camera.place.lat)} /></label>
        <label class="small">${t.longitude} <input name="lon" type="number" step="any" min="-180" max="180" required .value=${String(camera.place.lon)} /></label>
        <button>${t.setPlace}</button>
        ${camera.own_place ? html`<button type="button" class="quiet" @click=${() => void this.ask("set_place", { camera: camera.id, place: null })}>${t.useHome}</button>` : nothing}
      </div>
    </form>`;
  }

  private async place(event: SubmitEvent, camera: string): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    await this.ask("set_place", { camera, place: { lat: Number(form.get("lat")), lon: Number(form.get("lon")) } });
  }

  private readonly saveWho = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string): string => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    await this.set({ name: text("name"), address: text("address"), identity: text("identity") });
  };

  private set(options: Record<string, unknown>): Promise<void> {
    return this.ask("set_options", options);
  }

  private async ask(name: string, message: Record<string, unknown>): Promise<void> {
    this.failed = "";
    this.saved = false;
    try {
      await this.api.ask(name, message);
      this.saved = true;
      this.dispatchEvent(new CustomEvent("told"));
    } catch (error) {
      this.failed = messageOf(error);
    }
  }
}

function identityName(kind: Identity): string {
  if (kind === "anonymous") return words.who.anonymous;
  return kind === "name" ? words.who.name("…") : words.who.address("…", "…");
}

const checked = (event: Event): boolean => (event.target as HTMLInputElement).checked;
