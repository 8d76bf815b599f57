// Runs the pages' verifier outside any page: reads {bundle, calls} as JSON, writes what became of each call.

import { readFileSync } from "node:fs";

const { bundle, calls } = JSON.parse(readFileSync(0, "utf8"));
const verifier = await import(bundle);

const bytes = (text) => Uint8Array.from(Buffer.from(text ?? "", "base64"));
const hashes = (proof) => (proof ?? []).map(bytes);

// `former` are lines of a key list that hold the policy's keys to their last size.
async function policyOf({ policy, keys, former }) {
  const listed = (lines) => Promise.all((lines ?? []).map(verifier.parseListedKey));
  const trusted = policy !== undefined ? await verifier.parsePolicy(policy) : verifier.trusting(await listed(keys));
  return verifier.withLastSizes(trusted, await listed(former));
}

const READ = {
  async "key list"(content) {
    const keys = await verifier.parseKeyList(verifier.textOf(content, "it"));
    return keys.map(({ key, lastSize }) => `${lastSize === null ? "" : `${lastSize} `}${written(key)}`);
  },
  async note(content, keys) {
    const opened = await verifier.openNote(verifier.textOf(content, "it"), await Promise.all(keys.map(verifier.parseVerifierKey)));
    return [String(opened.signatures.length)];
  },
  async policy(content) {
    return [(await verifier.parsePolicy(verifier.textOf(content, "it"))).quorum];
  },
  async leaf(content) {
    return [verifier.decodeEntry(content).id];
  },
  async receipt(content, keys) {
    const policy = verifier.trusting(await Promise.all(keys.map(verifier.parseListedKey)));
    return [(await verifier.verifyReceipt(content, policy)).entry.id];
  },
  async bundle(content) {
    return [String(verifier.decodeBundle(content).length)];
  },
};

// A log's verifier key as it is given.
function written({ name, keyId, publicKey }) {
  return `${name}+${keyId}+${verifier.toBase64(Uint8Array.of(1, ...publicKey))}`;
}

const DO = {
  async reading({ read, content, keys }) {
    return READ[read](bytes(content), keys);
  },
  async receipt({ file, ...trust }) {
    const { entry, index, checkpoint, opened, signatures, leafHash } = await verifier.verifyReceipt(bytes(file), await policyOf(trust));
    return {
      entry: entry.id,
      amounts: entry.transfers.map(({ amountMinor }) => String(amountMinor)),
      index: String(index),
      size: String(checkpoint.size),
      leaf_hash: verifier.toHex(leafHash),
      opened: Object.fromEntries(opened),
      signers: signatures.map(({ key, seconds }) => [key.name, seconds === null ? null : String(seconds)]),
    };
  },
  // These bits of the file, one at a time: the positions that were accepted.
  async flips({ file, positions, ...trust }) {
    const policy = await policyOf(trust);
    const accepted = [];
    for (const position of positions) {
      const flipped = bytes(file);
      flipped[position >> 3] ^= 1 << (position & 7);
      const verdict = await verdictOf(() => verifier.verifyReceipt(flipped, policy));
      if (verdict.kind === undefined) accepted.push(position);
    }
    return accepted;
  },
  async cuts({ file, ...trust }) {
    const policy = await policyOf(trust);
    const accepted = [];
    for (let end = 0; end < bytes(file).length; end += 1) {
      const verdict = await verdictOf(() => verifier.verifyReceipt(bytes(file).subarray(0, end), policy));
      if (verdict.kind === undefined) accepted.push(end);
    }
    return accepted;
  },
  async constants() {
    const { MAX_BUNDLE_BYTES, MAX_NOTE_BYTES, MAX_RECEIPT_BYTES, MAX_TILE_BYTES, TILE_WIDTH } = verifier;
    return { MAX_BUNDLE_BYTES, MAX_NOTE_BYTES, MAX_RECEIPT_BYTES, MAX_TILE_BYTES, TILE_WIDTH };
  },
  async signature({ key, message, signature }) {
    const [publicKey, signed, made] = [key, message, signature].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
    return verifier.isSignature(made, signed, publicKey);
  },
  async note({ note, keys }) {
    const opened = await verifier.openNote(note, await Promise.all(keys.map(verifier.parseVerifierKey)));
    return { text: opened.text, signers: opened.signatures.map(({ key }) => key.name) };
  },
  async note_flips({ note, keys, positions }) {
    const trusted = await Promise.all(keys.map(verifier.parseVerifierKey));
    const raw = Buffer.from(note);
    const accepted = [];
    for (const position of positions) {
      const flipped = Buffer.from(raw);
      flipped[position >> 3] ^= 1 << (position & 7);
      const verdict = await verdictOf(() => {
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(flipped);
        return verifier.openNote(text, trusted);
      });
      if (verdict.kind === undefined && !(verdict.error ?? "").includes("TypeError")) accepted.push(position);
    }
    return accepted;
  },
  // What was read, and for each of the `chosen` sets of witnesses (by their names in the policy) whether it is enough.
  async policy({ policy, chosen }) {
    const { logs, witnesses, groups, quorum } = await verifier.parsePolicy(policy);
    const written = ({ name, keyId, publicKey }) => [name, keyId, verifier.toBase64(publicKey)];
    const signing = (names) => names.filter((name) => witnesses.has(name)).map((name) => ({ key: witnesses.get(name), seconds: 1n }));
    return {
      logs: logs.map(written),
      witnesses: [...witnesses].map(([name, key]) => [name, ...written(key)]),
      groups: [...groups].map(([name, { threshold, members }]) => [name, threshold, members]),
      quorum,
      met: (chosen ?? []).map((names) => verifier.isQuorumMet({ logs, witnesses, groups, quorum }, signing(names))),
    };
  },
  async checkpoint({ note, ...trust }) {
    const { checkpoint, signatures } = await verifier.openCheckpoint(note, await policyOf(trust));
    return {
      origin: checkpoint.origin,
      size: String(checkpoint.size),
      signers: signatures.map(({ key, seconds }) => [key.name, seconds === null ? null : String(seconds)]),
    };
  },
  async entry({ leaf }) {
    const entry = verifier.decodeEntry(bytes(leaf));
    return { id: entry.id, kind: entry.kind, ts: entry.ts, org: entry.org, org_seq: String(entry.orgSeq) };
  },
  async canonical({ json }) {
    return Buffer.from(verifier.canonicalJson(verifier.parseJson(Buffer.from(json, "base64").toString("utf8"), "it"))).toString("base64");
  },
  async inclusion({ leaf, index, size, proof, root }) {
    await verifier.verifyInclusion({ leaf: bytes(leaf), index: BigInt(index), size: BigInt(size), proof: hashes(proof), root: bytes(root) });
    return true;
  },
  // Whether the bundle is the tree's, and which tiles were asked for. `tiles` holds them by their path; others are not there.
  async bundle({ bundle, index, size, root, tiles }) {
    const asked = [];
    const readTile = async (tile) => {
      asked.push(verifier.tilePath(tile));
      return bytes(tiles[verifier.tilePath(tile)]);
    };
    const raws = verifier.decodeBundle(bytes(bundle));
    await verifier.verifyBundle(raws, BigInt(index), { size: BigInt(size), root: bytes(root) }, readTile);
    return [...new Set(asked)];
  },
  async decode_bundle({ bundle }) {
    return verifier.decodeBundle(bytes(bundle)).map((raw) => Buffer.from(raw).toString("base64"));
  },
  async paths({ tiles }) {
    return tiles.map(([level, index, width]) => verifier.tilePath({ level, index: BigInt(index), width }));
  },
  async consistency({ old_size, old_root, new_size, new_root, proof }) {
    await verifier.verifyConsistency({
      oldSize: BigInt(old_size),
      oldRoot: bytes(old_root),
      newSize: BigInt(new_size),
      newRoot: bytes(new_root),
      proof: hashes(proof),
    });
    return true;
  },
};

// A fault has a kind; anything else that is thrown is a defect of the verifier and is named as such.
async function verdictOf(work) {
  try {
    return { result: await work() };
  } catch (fault) {
    return fault instanceof verifier.VerifyFault ? { kind: fault.kind, message: fault.message } : { error: String(fault) };
  }
}

const answers = [];
for (const call of calls) answers.push(await verdictOf(() => DO[call.do](call)));
console.log(JSON.stringify(answers));
