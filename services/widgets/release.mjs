// Publishes what was just built as the version in package.json: its bytes go into published/ and never change again,
// and /v1/ and /v1.2/ move on to it. Commit what it writes; deploying the edge is what makes it public.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const WIDGETS = { "amply-button": "amply-button.js" };

const readJson = (path) => JSON.parse(readFileSync(join(HERE, path), "utf8"));

const { version } = readJson("package.json");
const versions = readJson("versions.json");
if (version in versions.published) {
  console.error(`${version} is published and stays as it is: raise the version in package.json.`);
  process.exit(1);
}
const built = readJson("dist/manifest.json");
const folder = join(HERE, "published", version);
mkdirSync(folder, { recursive: true });
versions.published[version] = {};
for (const [name, file] of Object.entries(WIDGETS)) {
  const { url, integrity } = built[name];
  writeFileSync(join(folder, file), readFileSync(join(HERE, "dist", url)));
  versions.published[version][file] = integrity;
}
const [major, minor] = version.split(".");
versions.newest[major] = version;
versions.newest[`${major}.${minor}`] = version;
writeFileSync(join(HERE, "versions.json"), `${JSON.stringify(versions, null, 2)}\n`);
console.log(`${version} is published; /v${major}/ and /v${major}.${minor}/ mean it from the next deployment on.`);
