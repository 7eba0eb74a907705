/** Why a package isn't shown. `code` picks the words (texts/en.ts); `about` is English, for a support mail, and repeats no names. */

export class PackageError extends Error {
  constructor(
    readonly code:
      | "not_for_us" // encrypted for another key
      | "altered" // ciphertext: its digest, or an authentication tag
      | "bad_archive" // the ZIP's form
      | "bad_bag" // files and their digests
      | "bad_custody" // the custody record's form
      | "bad_signature" // its signature
      | "wrong_delivery" // of another request, agency, key or neighborhood
      | "bad_arrival", // the hub's word of when it came
    readonly about: string,
  ) {
    super(`${code}: ${about}`);
  }
}
