/** What in a text looks as if it pointed at a person: it is asked about before it is sent. As `neighborhood/text_check.py`. */

export type HintKind = "email" | "address" | "phone" | "plate";

export interface Hint {
  kind: HintKind;
  text: string;
}

const W = String.raw`\p{L}\p{N}_`;
const STREETS =
  "alley|ally|avenue|ave|av|boulevard|blvd|circle|cir|court|ct|crescent|cres|drive|dr|gardens|gdns|highway|hwy|lane|ln|loop|parkway|pkwy|place|pl|road|rd|row|square|sq|street|str|st|terrace|ter|trail|trl|way";
// In this order: what one has found, the next ones pass over. Every repetition is bounded, so time grows with length only.
const PATTERNS: [HintKind, RegExp][] = [
  ["email", new RegExp(String.raw`[${W}.+\-]{1,64}@[${W}\-]{1,63}(?:\.[${W}\-]{1,63}){1,4}`, "gu")],
  [
    "address",
    new RegExp(
      String.raw`(?<![${W}])\p{Nd}{1,6}[A-Za-z]?,? +(?:[NSEW]\.? +)?(?:[${W}.'\-]{1,30} +){1,3}(?:${STREETS})(?![${W}])\.?` +
        String.raw`|(?<![${W}])[${W}]{3,30}(?:stra(?:ß|ss)e|weg|gasse|laan|straat|gatan|vej) +\p{Nd}{1,4}[a-z]?(?![${W}])` +
        String.raw`|(?<![${W}])\p{Nd}{1,4},? +(?:rue|avenue|boulevard|place|chemin|calle|via|viale) +[${W}'\-]{2,30}`,
      "giu",
    ),
  ],
  [
    "phone",
    new RegExp(
      String.raw`(?<![${W}\-])(?:\+\p{Nd}{1,3}[ .\/\-]?)?(?:\(\p{Nd}{1,5}\)[ .\/\-]?)?\p{Nd}{2,5}(?:[ .\/\-]?\p{Nd}{2,5}){1,4}(?![${W}\-])`,
      "gu",
    ),
  ],
  [
    "plate",
    new RegExp(
      String.raw`(?<![${W}#\-])(?=[A-Z0-9 \-]{0,9}\p{Nd})(?=[A-Z0-9 \-]{0,9}[A-Z])[A-Z0-9]{1,4}(?:[ \-]?[A-Z0-9]{1,4}){1,2}(?![${W}\-])`,
      "gu",
    ),
  ],
];
const DATE = /^(?:\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}|\p{Nd}{1,2}[./]\p{Nd}{1,2}[./]\p{Nd}{2,4})$/u;

/** Return what the author should be asked about, in the text's order. */
export function findPrivate(text: string): Hint[] {
  const found: (Hint & { start: number; end: number })[] = [];
  for (const [kind, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index;
      const end = start + match[0].length;
      const taken = found.some((hint) => hint.start < end && start < hint.end);
      if (isMeant(kind, match[0]) && !taken) found.push({ kind, start, end, text: match[0] });
    }
  }
  return found.sort((a, b) => a.start - b.start).map((hint) => ({ kind: hint.kind, text: hint.text }));
}

function isMeant(kind: HintKind, text: string): boolean {
  if (kind === "phone") {
    const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
    return digits >= 7 && digits <= 15 && !DATE.test(text); // E.164 has 15 at most
  }
  if (kind === "plate") {
    const signs = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
    return signs >= 5 && signs <= 8;
  }
  return true;
}
