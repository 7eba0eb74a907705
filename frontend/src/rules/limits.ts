/** How much of everything there may be. As `neighborhood/limits.py`. */

import type { Type } from "../protocol/types";

export const DAY_S = 86_400;
export const FUTURE_S = 600;
export const MAX_AGE_S = 60 * DAY_S;
export const MAX_ALERT_S = 7 * DAY_S;
export const INVITE_S = 7 * DAY_S;
export const MAX_CERTIFICATE_S = 400 * DAY_S;
export const AREA_SLACK_M = 300;
export const FLAGS_TO_HIDE = 3;
export const MAX_MEMBERS = 25_000;
export const MAX_MODERATORS = 50;
export const MAX_AGENCIES = 20;
export const MAX_OFFICERS = 200;
export const MAX_COMMENTS = 1_000;
export const MAX_DECISIONS = 20;
export const MAX_APPEALS = 3;

// Footage requests
export const MIN_AREA_M2 = 65_000;
export const MAX_AREA_M2 = 1_290_000;
export const MIN_WINDOW_S = 15 * 60;
export const MAX_WINDOW_S = 12 * 3_600;
export const MAX_INCIDENT_AGE_S = 30 * DAY_S;
export const REQUEST_S = 7 * DAY_S;
export const MAX_PER_CASE = 2;
export const MAX_OPEN = 10;
export const DETAILS_WAIT_S = DAY_S;
export const DETAILS_KEPT_S = 90 * DAY_S;
export const KEY_HOLD_S = 72 * 3_600;

export const DAILY: Record<Type, number> = {
  founding: 10,
  member: 1_000,
  role: 100,
  post: 20,
  comment: 200,
  thanks: 300,
  flag: 30,
  moderation: 1_000,
  appeal: 10,
  withdraw: 200,
  alert: 20,
  agency: 20,
  officer: 200,
  legal_demand: 20,
  request_details: 20,
  footage_request: 10,
  extension: 20,
  reminder: 20,
  close: 40,
  availability: 1_000,
  partnership: 5,
  partnership_count: 20,
};
