/**
 * What can be wrong, with the codes of `neighborhood/violations.py`.
 *
 * `about` is English, for a log; it never repeats what somebody else wrote. What people read is in texts/.
 */

abstract class Violation extends Error {
  constructor(
    readonly code: string,
    readonly about: string,
  ) {
    super(`${code}: ${about}`);
  }
}

/** A record can't be taken: its author's fault. */
export class RecordViolation extends Violation {}

/** What the hub said can't be: it lies, or it is broken. */
export class HubViolation extends Violation {}

/** An invite's link can't be used. */
export class LinkViolation extends Violation {}
