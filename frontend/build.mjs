/**
 * Builds what runs in browsers: pages that are one HTML file with everything in it, and Home Assistant's panel, which is a module.
 * The same bytes from the same sources on every machine.
 *
 *     node build.mjs [FOLDER]          writes neighbors.html, officer.html and panel.js and prints their SHA-256
 *     node build.mjs --check FOLDER    protocol.js and officer.js, for the tests that compare them with Python's
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const MANIFEST = join(HERE, "../custom_components/ringwatch/manifest.json");
const VERSION = JSON.parse(readFileSync(MANIFEST, "utf8")).version;

const NOBLE = "noble-curves and noble-hashes (c) Paul Miller, MIT";
const LIT = "Lit (c) Google LLC, BSD-3-Clause";
const AGE = "age-encryption (c) Filippo Valsorda, BSD-3-Clause, noble-ciphers and noble-post-quantum (c) Paul Miller, MIT";
const PAGES = [
  { name: "neighbors", entry: "src/main.ts", element: "rw-app", title: "Ringwatch", contains: `${LIT}, and ${NOBLE}` },
  {
    name: "officer",
    entry: "src/officer/main.ts",
    element: "rw-officer",
    title: "Ringwatch for officers",
    contains: `${LIT}, ${NOBLE}, and ${AGE}`,
  },
];
const PANEL = "src/panel/main.ts"; // its folder is there once the panel is

const options = {
  absWorkingDir: HERE,
  bundle: true,
  charset: "utf8",
  define: { VERSION: JSON.stringify(VERSION) },
  legalComments: "none",
  logLevel: "error",
  minify: true,
  target: ["es2022", "chrome120", "firefox128", "safari17"],
  write: false,
};

async function bundle(entry, more) {
  const result = await build({ ...options, ...more, entryPoints: [entry] });
  return result.outputFiles[0].text.trimEnd();
}

const licenses = (contains) => ({ js: `/* Ringwatch, MIT. Contains ${contains}. */` });
const sha256 = (text, form) => createHash("sha256").update(text).digest(form);
const hashOf = (text) => `'sha256-${sha256(text, "base64")}'`;

async function page({ entry, element, title, contains }) {
  const script = await bundle(entry, { format: "esm", banner: licenses(contains) });
  const style = await bundle("src/ui/page.css", {});
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self' https: http:", // the hub is whoever the link names; a hub that serves the page narrows it to itself
    "img-src blob: data:",
    "media-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
  ].join("; ");
  const parts = { CSP: policy, ELEMENT: element, TITLE: title, VERSION, STYLE: style, SCRIPT: script };
  const template = readFileSync(join(HERE, "page.html"), "utf8");
  return template.replace(/%(CSP|ELEMENT|TITLE|VERSION|STYLE|SCRIPT)%/g, (_, name) => parts[name]);
}

const [first, second] = process.argv.slice(2);
if (first === "--check") {
  mkdirSync(second, { recursive: true });
  for (const name of ["protocol", "officer"]) {
    writeFileSync(join(second, `${name}.js`), await bundle(`tests/${name}.ts`, { format: "iife", globalName: "ringwatch" }));
  }
} else {
  const folder = first ?? join(HERE, "../custom_components/ringwatch/www");
  const files = await Promise.all(PAGES.map(async (one) => [`${one.name}.html`, await page(one)]));
  if (existsSync(join(HERE, PANEL))) {
    files.push(["panel.js", await bundle(PANEL, { format: "esm", banner: licenses(`${LIT}, and ${NOBLE}`) })]);
  }
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of files) {
    writeFileSync(join(folder, name), text);
    console.log(`${sha256(text, "hex")}  ${name} (${Buffer.byteLength(text)} bytes)`);
  }
}
