/** What the panel asks of Home Assistant, by its websocket, and what it is answered (footage_websocket.py). */

export interface Hass {
  connection: {
    sendMessagePromise<T>(message: Record<string, unknown>): Promise<T>;
    subscribeMessage(callback: () => void, message: Record<string, unknown>): Promise<() => Promise<void>>;
    addEventListener(event: "ready", callback: () => void): void;
    removeEventListener(event: "ready", callback: () => void): void;
  };
  fetchWithAuth(path: string, init?: RequestInit): Promise<Response>;
  language: string;
  themes?: { darkMode?: boolean };
}

export interface Spot {
  lat: number;
  lon: number;
}

export interface Agency {
  id: string;
  name: string;
  domain: string;
  fingerprint: string;
  kind: string;
  retention_days: number;
  sharing: string;
  face_recognition: string;
  terms: string;
  hold_until: number | null;
  first_time: boolean;
}

export interface FootageRequest {
  id: string;
  status: string;
  agency: Agency;
  officer: string;
  area: Spot[];
  start: number;
  end: number;
  incident: string;
  case_number: string | null;
  purpose: string | null;
  contact: string | null;
  description: string | null;
  released: number | null;
  expires: number;
  extended: boolean;
  reminded: number | null;
  closed: number | null;
  outcome: string | null;
  availability: string | null;
  matches: number;
  my: string | null;
}

export interface Neighborhood {
  id: string;
  name: string;
  connected: boolean;
  center: Spot | null;
  radius_m: number;
  hosted: boolean;
  moderates: boolean;
  requests: FootageRequest[];
}

export type Box = [number, number, number, number];

export interface Selection {
  id: string;
  start_s: number;
  end_s: number | null;
  mute: boolean;
  blur_faces: boolean;
  boxes: Box[];
  keep_only: Box | null;
}

export interface PreparedFile {
  name: string;
  clip: string;
  url: string;
  size: number;
  sha256: string;
  duration_s: number;
  fetched: boolean;
  watched: boolean;
}

export interface Answer {
  id: string;
  neighborhood: string;
  request: string;
  state: string;
  error: string | null;
  problem: string | null;
  created: number;
  identity: Identity;
  clips: Selection[];
  files: PreparedFile[];
  release: number | null;
  arrived: number | null;
  uploaded_bytes: number;
  size_bytes: number | null;
  receipts: { kind: string; time: number; retention_until: number | null; about: string }[];
  recipient: { agency: string; domain: string; fingerprint: string; retention_days: number; sharing: string; face_recognition: string } | null;
}

export type Identity = "anonymous" | "name" | "address";

export interface Settings {
  undo_s: number;
  hold: boolean;
  availability: boolean;
  blur_faces: boolean;
  faces: "ready" | "no_model" | "no_ncnn" | "loading";
  identity: Identity;
  name: string;
  address: string;
  home: Spot;
  cameras: { id: string; name: string; own_place: boolean; place: Spot }[];
}

export interface Overview {
  open: boolean;
  neighborhoods: Neighborhood[];
  answers: Answer[];
  settings: Settings;
  may: { answer: boolean; administer: boolean };
}

export interface Clip {
  id: string;
  camera_id: string;
  camera: string;
  start_ms: number;
  end_ms: number;
  duration_s: number;
  has_sound: boolean;
  size_bytes: number;
  width: number;
  height: number;
  codec: string;
  thumbnail: string;
  clip: string;
}

export interface LogEntry {
  n: number;
  time: number;
  what: string;
  text: string;
  facts: Record<string, unknown>;
}

export interface LogPage {
  entries: LogEntry[];
  intact: boolean;
  broken_at: number | null;
  more: boolean;
}

/** What Home Assistant says when it refuses. */
export class Refused extends Error {}

const PREFIX = "ringwatch/footage/";

export class Api {
  constructor(readonly hass: Hass) {}

  /** Send a command. Throw Refused with words that a person can read. */
  async ask<T>(name: string, message: Record<string, unknown> = {}): Promise<T> {
    try {
      return await this.hass.connection.sendMessagePromise<T>({ ...message, type: PREFIX + name });
    } catch (error) {
      throw new Refused(messageOf(error));
    }
  }

  subscribe(changed: () => void): Promise<() => Promise<void>> {
    return this.hass.connection.subscribeMessage(changed, { type: PREFIX + "subscribe" });
  }

  /** Fetch the very bytes that would be sent, with this login's own header. */
  async fetchFile(url: string): Promise<Blob> {
    const response = await this.hass.fetchWithAuth(url);
    if (!response.ok) throw new Refused(`${response.status}`);
    return await response.blob();
  }
}

export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string") return error.message;
  return String(error);
}
