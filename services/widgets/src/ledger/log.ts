/** The log's published files: its checkpoint, and entries with the tiles that prove them. Nothing unproved leaves here. */

import { RequestFault, request } from "../site/http";
import {
  bundlePath,
  bundleWidth,
  type Checkpoint,
  decodeBundle,
  decodeEntry,
  type Entry,
  joined,
  MAX_BUNDLE_BYTES,
  MAX_NOTE_BYTES,
  MAX_TILE_BYTES,
  TILE_WIDTH,
  type TileReader,
  textOf,
  tilePath,
  VerifyFault,
  verifyBundle,
} from "../verify";

const WIDE = BigInt(TILE_WIDTH);

/** An entry of the tree that was checked; `fault` says why its bytes cannot be read as one, where they cannot. */
export type ProvenEntry = { readonly index: bigint } & (
  | { readonly entry: Entry; readonly fault: null }
  | { readonly entry: null; readonly fault: VerifyFault }
);

/** The signed note as published; null when nothing has been published yet. Throws RequestFault or VerifyFault. */
export async function readNote(logUrl: string): Promise<string | null> {
  try {
    return textOf(await read(`${logUrl}/checkpoint`, MAX_NOTE_BYTES, "no-store"), "it");
  } catch (fault) {
    if (isMissing(fault)) return null;
    throw fault;
  }
}

/**
 * The entries `from` (included) to `to` (excluded) of the checkpoint's tree, each proved to be in it.
 *
 * Reads their bundles, one or two for the few that a page shows, and about one tile a level and side: at most 17 for
 * a bundle of a tree of 2^63. Throws VerifyFault when what is published is not what was signed; RequestFault when
 * something cannot be read.
 */
export async function readEntries(
  logUrl: string,
  checkpoint: Checkpoint,
  from: bigint,
  to: bigint,
): Promise<ProvenEntry[]> {
  const readTile = tileReader(logUrl);
  const found: ProvenEntry[] = [];
  for (let bundle = from / WIDE; bundle * WIDE < to; bundle += 1n) {
    const raws = await readBundle(logUrl, bundle, bundleWidth(bundle, checkpoint.size));
    await verifyBundle(raws, bundle, checkpoint, readTile);
    raws.forEach((raw, place) => {
      const index = bundle * WIDE + BigInt(place);
      if (index >= from && index < to) found.push(proven(index, raw, checkpoint.origin));
    });
  }
  return found;
}

function proven(index: bigint, raw: Uint8Array, origin: string): ProvenEntry {
  try {
    const entry = decodeEntry(raw);
    if (entry.log !== origin) throw new VerifyFault("mismatch", "it was written for another log");
    return { index, entry, fault: null };
  } catch (fault) {
    if (fault instanceof VerifyFault) return { index, entry: null, fault };
    throw fault;
  }
}

async function readBundle(logUrl: string, index: bigint, width: number): Promise<readonly Uint8Array[]> {
  const paths = { asked: bundlePath(index, width), full: bundlePath(index, TILE_WIDTH) };
  return decodeBundle(await readPartial(logUrl, paths, MAX_BUNDLE_BYTES)).slice(0, width);
}

/** Each tile is read once for all entries that it proves. */
function tileReader(logUrl: string): TileReader {
  const kept = new Map<string, Promise<Uint8Array>>();
  return (tile) => {
    const paths = { asked: tilePath(tile), full: tilePath({ ...tile, width: TILE_WIDTH }) };
    const reading = kept.get(paths.full) ?? readPartial(logUrl, paths, MAX_TILE_BYTES);
    kept.set(paths.full, reading);
    return reading;
  };
}

/** Once a tile or bundle is full, its partial versions may go; the full one begins with the same bytes. */
async function readPartial(
  logUrl: string,
  { asked, full }: { asked: string; full: string },
  limit: number,
): Promise<Uint8Array> {
  try {
    return await read(`${logUrl}/${asked}`, limit);
  } catch (fault) {
    if (asked === full || !isMissing(fault)) throw fault;
    return read(`${logUrl}/${full}`, limit);
  }
}

/** S3 answers 403 for a key that is not there to a reader who may not list. */
function isMissing(fault: unknown): boolean {
  return fault instanceof RequestFault && (fault.status === 404 || fault.status === 403);
}

/** A log's file is the whole answer at its own address: no redirect is followed, and no part is taken for it. */
async function read(url: string, limit: number, cache: RequestCache = "default"): Promise<Uint8Array<ArrayBuffer>> {
  const response = await request(url, { cache, redirect: "error" });
  if (response.status !== 200) throw RequestFault.own("unreadable", response.status);
  return boundedBytes(response, limit);
}

/** Reads no further than the limit: whoever answers decides how much, and this page's memory is not theirs. */
async function boundedBytes(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); reader !== undefined && read?.done === false; read = await reader.read()) {
    chunks.push(read.value);
    length += read.value.length;
    if (length > limit) {
      await reader.cancel();
      throw new VerifyFault("malformed", "a file of it is larger than any that a log publishes");
    }
  }
  return joined(...chunks);
}
