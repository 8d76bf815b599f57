import { request, RequestFault } from "../site/http";

/** The log's published files: a checkpoint (C2SP tlog-checkpoint) and entry bundles (C2SP tlog-tiles). */

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** As published: base64 of 32 bytes. */
  readonly root: string;
  /** The whole file, signatures included. */
  readonly note: string;
}

export interface RawEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
}

const BUNDLE_WIDTH = 256;

/** Null when nothing has been published yet. Throws RequestFault. */
export async function readCheckpoint(logUrl: string): Promise<Checkpoint | null> {
  let text: string;
  try {
    text = await (await request(`${logUrl}/checkpoint`)).text();
  } catch (fault) {
    // S3 answers 403 for a key that is not there to a reader who may not list.
    if (fault instanceof RequestFault && (fault.status === 404 || fault.status === 403)) return null;
    throw fault;
  }
  return parseCheckpoint(text);
}

/** Reads the three lines that are shown; whether the signatures below them are true, the verifier says. */
export function parseCheckpoint(text: string): Checkpoint {
  const end = text.indexOf("\n\n");
  const [origin = "", size = "", root = ""] = text.slice(0, end === -1 ? 0 : end).split("\n");
  const isWellFormed = origin !== "" && /^(0|[1-9][0-9]{0,14})$/.test(size) && /^[A-Za-z0-9+/]{43}=$/.test(root);
  if (!isWellFormed) throw new RequestFault("The published checkpoint could not be read.", { status: 502 });
  return { origin, size: Number(size), root, note: text };
}

/** The entries `from` (included) to `to` (excluded) of a log of `size` entries. Throws RequestFault. */
export async function readEntries(logUrl: string, size: number, from: number, to: number): Promise<RawEntry[]> {
  const found: RawEntry[] = [];
  for (let bundle = Math.floor(from / BUNDLE_WIDTH); bundle * BUNDLE_WIDTH < to; bundle += 1) {
    const first = bundle * BUNDLE_WIDTH;
    const entries = await readBundle(logUrl, bundle, Math.min(BUNDLE_WIDTH, size - first));
    entries.forEach((bytes, place) => found.push({ index: first + place, bytes }));
  }
  return found.filter(({ index }) => index >= from && index < to);
}

async function readBundle(logUrl: string, bundle: number, width: number): Promise<Uint8Array[]> {
  const path = bundlePath(bundle);
  const partial = width === BUNDLE_WIDTH ? "" : `.p/${width}`;
  let response: Response;
  try {
    response = await request(`${logUrl}/${path}${partial}`, { cache: "default" });
  } catch (fault) {
    // Once a bundle is full, its partial versions may go.
    if (partial === "" || !(fault instanceof RequestFault) || fault.status < 403) throw fault;
    response = await request(`${logUrl}/${path}`, { cache: "default" });
  }
  const entries = decodeBundle(new Uint8Array(await response.arrayBuffer())).slice(0, width);
  if (entries.length < width) throw new RequestFault("An entry bundle of the ledger is incomplete.", { status: 502 });
  return entries;
}

/** "tile/entries/x001/x234/067" for 1234067. */
export function bundlePath(bundle: number): string {
  const digits = bundle.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.../g) ?? [];
  return `tile/entries/${groups.map((group, place) => (place < groups.length - 1 ? `x${group}` : group)).join("/")}`;
}

/** Entries one after another, each behind its length in two bytes, the high one first. */
export function decodeBundle(bundle: Uint8Array): Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let place = 0;
  while (place < bundle.length) {
    const start = place + 2;
    const end = start <= bundle.length ? start + view.getUint16(place) : Infinity;
    if (end > bundle.length) throw new RequestFault("An entry bundle of the ledger is cut short.", { status: 502 });
    entries.push(bundle.subarray(start, end));
    place = end;
  }
  return entries;
}
