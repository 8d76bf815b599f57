// Builds the site into dist/: hashed scripts and styles under assets/, and the pages that name them with their
// integrity hashes; beside them every published version of the widgets, byte for byte as it was published (see
// release.mjs). The same sources give the same bytes. `node build.mjs [FOLDER]` builds somewhere else.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const SCRIPTS = {
  "amply-button": "src/button/amply_button.tsx",
  donate: "src/donate/main.tsx",
  giving: "src/giving/main.tsx",
  onboarding: "src/onboarding/main.tsx",
  account: "src/account/main.tsx",
  join: "src/join/main.tsx",
  keys: "src/keys/main.tsx",
  organization: "src/organization/main.tsx",
  sign_in: "src/sign_in/main.tsx",
  webhooks: "src/webhooks/main.tsx",
  integrate: "src/integrate/main.tsx",
  ledger: "src/ledger/main.tsx",
  demo: "src/demo/main.tsx",
};
// Pages behind flags, each with all that is its own: the edge uploads it below `at` where the flag is on (stacks/site_upload.py).
const BEHIND = { "data-seller-portal": { at: "data", script: "src/data/main.tsx", style: "src/data/data.css" } };
const BUTTON_BUDGET_BYTES = 15 * 1024; // gzip: what a host page pays for the button

async function bundle(entry, define = {}) {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: [entry],
    bundle: true,
    define,
    write: false,
    format: "iife",
    target: ["chrome111", "firefox113", "safari16.4"],
    loader: { ".css": "text" },
    legalComments: "none",
    minify: true,
    charset: "utf8",
    // The sheet of a shadow tree is a text inside the script, and esbuild leaves texts alone.
    plugins: [minifiedStyleTexts],
  });
  return Buffer.from(outputFiles[0].contents);
}

async function stylesheet(entry) {
  const { outputFiles } = await build({
    absWorkingDir: HERE,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    charset: "utf8",
  });
  return Buffer.from(outputFiles[0].contents);
}

const minifiedStyleTexts = {
  name: "minified style texts",
  setup(inner) {
    inner.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
      contents: (await stylesheet(path)).toString().trim(),
      loader: "text",
    }));
  },
};

function published(name, extension, contents, below = "assets") {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 16);
  return { url: `/${below}/${name}.${hash}${extension}`, integrity: integrityOf(contents), contents };
}

async function assets() {
  const challenge = published("challenge", ".js", await bundle("src/challenge/worker.ts"));
  const define = { CHALLENGE_WORKER_URL: JSON.stringify(challenge.url) };
  const found = { challenge };
  for (const [name, entry] of Object.entries(SCRIPTS))
    found[name] = published(name, ".js", await bundle(entry, define));
  found.pages = published("pages", ".css", await stylesheet("src/look/pages.css"));
  found.icon = published("icon", ".svg", readFileSync(join(HERE, "src/look/icon.svg")));
  return found;
}

function page(html, { icon, ...found }, styles = ["pages"]) {
  const script = (name, more = "") =>
    `<script src="${found[name].url}" integrity="${found[name].integrity}" crossorigin="anonymous" defer${more}></script>`;
  const sheets = styles.map(
    (name) =>
      `<link rel="stylesheet" href="${found[name].url}" integrity="${found[name].integrity}" crossorigin="anonymous">`,
  );
  return html
    .replace("<!--look-->", [`<link rel="icon" href="${icon.url}">`, ...sheets].join("\n    "))
    .replace("<!--button-->", () => script("amply-button", " data-amply-button"))
    .replace(/<!--script:(\w+)-->/, (_, name) => script(name));
}

// Pages that differ in a few words stand in one list, and have one frame.
const ALIKE = {
  skip: "Skip to the next step",
  loading: "Loading…",
  withoutScript: "This page needs JavaScript. Please allow it here.",
};

function pagesAlike() {
  const frame = readFileSync(join(HERE, "src/site/alike.html"), "utf8");
  return Object.entries(JSON.parse(readFileSync(join(HERE, "src/site/alike.json"), "utf8"))).map(([path, words]) => {
    const filled = frame.replace(/\{(\w+)\}/g, (_, name) => ({ ...ALIKE, ...words })[name]);
    return [`${path}/index.html`, filled];
  });
}

function integrityOf(contents) {
  return `sha384-${createHash("sha384").update(contents).digest("base64")}`;
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(1);
}

// People's pages name these bytes with their hash: one that changed would be refused by every browser.
function writePublished(folder, { newest, published: all }) {
  for (const [version, files] of Object.entries(all)) {
    for (const [file, integrity] of Object.entries(files)) {
      const contents = readFileSync(join(HERE, "published", version, file));
      if (integrityOf(contents) !== integrity)
        refuse(`published/${version}/${file} is not what was published: restore it from the repository's history.`);
      write(folder, `v${version}/${file}`, contents);
    }
    write(folder, `v${version}/manifest.json`, `${JSON.stringify({ version, files }, null, 2)}\n`);
  }
  for (const [name, version] of Object.entries(newest)) {
    if (!(version in all))
      refuse(`/v${name}/ means ${version}, which is not published: name one that is, in versions.json.`);
    if (!version.startsWith(`${name}.`))
      refuse(`/v${name}/ cannot mean ${version}: pages that ask for ${name} expect no other.`);
  }
}

async function writeBehind(folder, found) {
  for (const [flag, { at, script, style }] of Object.entries(BEHIND)) {
    const own = {
      script: published("page", ".js", await bundle(script), at),
      style: published("page", ".css", await stylesheet(style), at),
    };
    for (const { url, contents } of Object.values(own))
      write(folder, `behind/${flag}${url.slice(at.length + 1)}`, contents);
    const html = readFileSync(join(HERE, "behind", flag, "index.html"), "utf8");
    write(folder, `behind/${flag}/index.html`, page(html, { ...found, ...own }, ["pages", "style"]));
  }
}

function write(folder, path, contents) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

const folder = resolve(process.argv[2] ?? join(HERE, "dist"));
const found = await assets();
const buttonBytes = gzipSync(found["amply-button"].contents, { level: 9 }).length;
if (buttonBytes > BUTTON_BUDGET_BYTES)
  refuse(`amply-button is ${buttonBytes} bytes gzipped; its budget is ${BUTTON_BUDGET_BYTES}.`);
rmSync(folder, { recursive: true, force: true });
for (const { url, contents } of Object.values(found)) write(folder, url, contents);
for (const path of readdirSync(join(HERE, "pages"), { recursive: true }).filter((path) => extname(path) === ".html")) {
  write(folder, path, page(readFileSync(join(HERE, "pages", path), "utf8"), found));
}
await writeBehind(folder, found);
for (const [path, html] of pagesAlike()) write(folder, path, page(html, found));
const manifest = Object.fromEntries(
  Object.entries(found).map(([name, { url, integrity }]) => [name, { url, integrity }]),
);
write(folder, "manifest.json", `${JSON.stringify(manifest, null, 2)}\n`);
writePublished(folder, JSON.parse(readFileSync(join(HERE, "versions.json"), "utf8")));
const licences = ["preact", "qr", "@noble/ed25519", "@noble/hashes"].map(
  (name) => `${name}\n\n${readFileSync(join(HERE, "node_modules", name, "LICENSE"), "utf8")}`,
);
write(folder, "licenses.txt", `The scripts under assets/ contain these libraries.\n\n${licences.join("\n\n")}`);
console.log(`amply-button ${buttonBytes} bytes gzipped, integrity ${found["amply-button"].integrity}`);
