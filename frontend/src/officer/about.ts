/** The agency as the neighborhood knows it, the officer's certificate and key, and the neighborhood. */

import { html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Home } from "../hub/home";
import { fingerprint } from "../protocol/keys";
import { count, days, texts, when } from "../texts";
import { facts, factStyles } from "../ui/facts";
import { HomeController } from "../ui/home-controller";
import { icon } from "../ui/icons";
import { base } from "../ui/styles";
import type { Session } from "./app";
import { NoKeyFile, readKeyFile } from "./keyfile";
import { tryOpen } from "./keys";
import { ownAgency, type AgencyView } from "./reading";
import { officerStyles } from "./styles";
import { words } from "./words";

declare const VERSION: string;

@customElement("rw-officer-about")
export class OfficerAbout extends LitElement {
  static override styles = [base, officerStyles, factStyles];

  @property({ attribute: false }) home!: Home;
  @property({ attribute: false }) session!: Session;
  @state() private busy = false;
  @state() private error = "";
  @state() private done = "";

  constructor() {
    super();
    new HomeController(this, () => this.home);
  }

  override render(): TemplateResult {
    const agency = ownAgency(this.home);
    return html`<div class="stack">
      ${agency ? this.agency(agency) : nothing} ${this.you(agency)} ${this.hood()}
      <p class="small muted">${words.about.page} ${words.about.version(VERSION)}</p>
    </div>`;
  }

  private agency({ row, name, key, active }: AgencyView): TemplateResult {
    const t = words.about;
    const now = this.home.clock.now();
    const hold = row.holdUntil !== null && row.holdUntil > now ? row.holdUntil : null;
    return html`<section class="card stack" aria-labelledby="agency">
      <h1 id="agency" tabindex="-1" dir="auto">${name}</h1>
      ${active ? nothing : html`<p class="note bad">${icon("warning")}<span>${t.suspended}</span></p>`}
      ${hold === null ? nothing : html`<p class="note bad">${icon("time")}<span>${t.hold(when(hold))}</span></p>`}
      ${facts([
        [t.kind, words.agencyKinds[row.kind] ?? row.kind],
        [t.domain, row.domain],
        [t.retention, days(row.retentionDays)],
        [t.sharing, words.sharing[row.sharing] ?? row.sharing],
        [t.faces, words.faceRecognition[row.faceRecognition] ?? row.faceRecognition],
        [t.fingerprint, html`<span class="digits" dir="ltr">${fingerprint(key)}</span>`],
      ])}
      ${row.terms ? html`<p class="said" dir="auto">${row.terms}</p>` : nothing}
    </section>`;
  }

  private you(agency: AgencyView | null): TemplateResult {
    const t = words.about;
    const { me } = this.home;
    const { kept, reading } = this.session;
    const fits = agency === null || reading.some(({ recipient }) => recipient === agency.row.ageRecipient);
    return html`<section class="card stack" aria-labelledby="you">
      <h2 id="you">${t.you}</h2>
      ${facts([
        [t.certified, me?.name ?? ""],
        [t.until, me ? when(me.expires) : ""],
        [t.key, html`<span class="digits" dir="ltr">${fingerprint(kept.publicKey)}</span><br /><span class="small muted">${t.keyKind[kept.kind]}</span>`],
        [t.reading, reading.length ? (fits ? t.readingHave : t.readingOther) : t.readingNone],
      ])}
      <details ?open=${!reading.length || !fits}>
        <summary>${t.readingAdd}</summary>
        <form class="stack" @submit=${this.addReading}>
          <div class="pair">
            <div class="field"><label for="file">${words.keys.fileChoose}</label><input id="file" name="file" type="file" accept=".json,application/json" required /></div>
            <div class="field"><label for="passphrase">${words.keys.passphrase}</label><input id="passphrase" name="passphrase" type="password" autocomplete="off" required /></div>
          </div>
          ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
          <div class="row"><button ?disabled=${this.busy}>${this.busy ? words.keys.opening : t.readingAdd}</button></div>
        </form>
      </details>
      <p role="status" ?hidden=${!this.done}>${this.done}</p>
      <div class="row"><button class="quiet" @click=${() => { this.ask("#forget-key"); }}>${words.keys.forget}</button></div>
      ${this.question("forget-key", words.keys.forgetTitle, `${words.keys.forgetLead} ${kept.kind === "file" ? words.keys.forgetFile : words.keys.forgetBrowser}`, words.keys.forgetDo)}
    </section>`;
  }

  private hood(): TemplateResult {
    const t = words.about;
    const { state: hood } = this.home.copy;
    const { url, hubKey } = this.home.membership;
    return html`<section class="card stack" aria-labelledby="hood">
      <h2 id="hood" dir="auto">${hood.hood.name}</h2>
      ${facts([
        [texts.join.host, hood.host.name],
        [texts.join.members, count(hood.count("members"))],
        [texts.join.address, url],
        [texts.join.fingerprint, html`<span class="digits" dir="ltr">${fingerprint(hubKey)}</span>`],
      ])}
      <p class="small muted">${texts.about.checked(count(hood.position.number))}</p>
      <p class="said" dir="auto">${hood.hood.rules || texts.join.noRules}</p>
      <div class="row">
        <button @click=${() => { this.tell("add"); }}>${words.hub.add}</button>
        <button class="quiet" @click=${() => { this.ask("#forget-hood"); }}>${t.leave}</button>
      </div>
      ${this.question("forget-hood", t.leave, words.hub.lead, words.keys.forgetDo)}
    </section>`;
  }

  private question(name: string, title: string, lead: string, does: string): TemplateResult {
    return html`<dialog id=${name} aria-labelledby="${name}-title">
      <div class="stack">
        <h2 id="${name}-title">${title}</h2>
        <p class="muted">${lead}</p>
        <div class="row">
          <button class="quiet" @click=${(event: Event) => { (event.target as HTMLElement).closest("dialog")?.close(); }}>${words.keys.cancel}</button>
          <button class="danger" @click=${() => { this.tell(name); }}>${does}</button>
        </div>
      </div>
    </dialog>`;
  }

  private ask(selector: string): void {
    this.renderRoot.querySelector<HTMLDialogElement>(selector)?.showModal();
  }

  private tell(name: string, detail?: Session): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  private readonly addReading = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const element = event.target as HTMLFormElement;
    const form = new FormData(element);
    const chosen = form.get("file");
    const passphrase = form.get("passphrase");
    if (!(chosen instanceof File) || typeof passphrase !== "string") return;
    this.busy = true;
    this.error = "";
    this.done = "";
    try {
      const found = await tryOpen(await readKeyFile(chosen), passphrase);
      if (typeof found === "string") this.error = found;
      else {
        this.keep(found.reading);
        element.reset();
        this.done = words.about.readingAdded;
      }
    } catch (error) {
      if (!(error instanceof NoKeyFile)) throw error;
      this.error = words.keys.notKeyFile;
    } finally {
      this.busy = false;
    }
  };

  /** Keep a reading key: with a key of the browser's for good, with a file's until it is locked. */
  private keep(added: Session["reading"][number]): void {
    const { kept, signer, reading } = this.session;
    const all = [...reading.filter(({ recipient }) => recipient !== added.recipient), added];
    this.tell("session", { signer, reading: all, kept: kept.kind === "browser" ? { ...kept, reading: all } : kept });
  }
}
