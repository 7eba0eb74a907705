/**
 * Builds the neighbors' page: one HTML file with everything in it, the same bytes from the same sources on every machine.
 *
 *     node build.mjs [FOLDER]      writes FOLDER/neighbors.html and prints its SHA-256
 *     node build.mjs --check FOLDER    the protocol for the tests that compare it with Python's
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const MANIFEST = join(HERE, "../custom_components/ringwatch/manifest.json");
const VERSION = JSON.parse(readFileSync(MANIFEST, "utf8")).version;

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

const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

async function page() {
  const script = await bundle("src/main.ts", { format: "esm", banner: { js: LICENSES } });
  const style = await bundle("src/ui/page.css", {});
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self' https: http:", // the hub is whoever the invite names; a hub that serves the page narrows it to itself
    "img-src blob: data:",
    "media-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
  ].join("; ");
  const parts = { CSP: policy, VERSION, STYLE: style, SCRIPT: script };
  return readFileSync(join(HERE, "page.html"), "utf8").replace(/%(CSP|VERSION|STYLE|SCRIPT)%/g, (_, name) => parts[name]);
}

const LICENSES = "/* Ringwatch, MIT. Contains Lit (c) Google LLC, BSD-3-Clause, and noble-curves and noble-hashes (c) Paul Miller, MIT. */";

const [first, second] = process.argv.slice(2);
if (first === "--check") {
  mkdirSync(second, { recursive: true });
  writeFileSync(join(second, "protocol.js"), await bundle("tests/protocol.ts", { format: "iife", globalName: "ringwatch" }));
} else {
  const folder = first ?? join(HERE, "../custom_components/ringwatch/www");
  const html = await page();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "neighbors.html"), html);
  console.log(`${createHash("sha256").update(html).digest("hex")}  neighbors.html (${Buffer.byteLength(html)} bytes)`);
}
