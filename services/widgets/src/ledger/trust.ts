/** Whom this page trusts, and what a checkpoint's signatures are worth to it. */

import { openCheckpoint, parsePolicy, parseVerifierKey, type Policy, trusting, type VerifiedSignature, VerifyFault } from "../verify";
import type { Checkpoint } from "./log";

/** `policy` is null where nobody is pinned; `fault` says what is wrong with what is. */
export interface Trust {
  readonly policy: Policy | null;
  readonly fault: string;
}

export const NOBODY: Trust = { policy: null, fault: "" };

export type Standing =
  | { readonly is: "unchecked" }
  | { readonly is: "true"; readonly signatures: readonly VerifiedSignature[]; readonly policy: Policy }
  | { readonly is: "refused"; readonly sentence: string };

/** A policy file, or verifier keys of the log, one a line, as people paste them; lines that begin with # are words. */
export async function trustFrom(text: string): Promise<Trust> {
  const written = text.trim();
  if (written === "") return NOBODY;
  try {
    const lines = written.split("\n").map((line) => line.trim());
    const said = lines.filter((line) => line !== "" && !line.startsWith("#"));
    const areKeys = said.every((line) => !/\s/.test(line));
    const policy = areKeys ? trusting(await Promise.all(said.map(logKey))) : await parsePolicy(`${lines.join("\n")}\n`);
    return { policy, fault: "" };
  } catch (fault) {
    if (fault instanceof VerifyFault) return { policy: null, fault: `The key cannot be used: ${fault.message}.` };
    throw fault;
  }
}

async function logKey(text: string): ReturnType<typeof parseVerifierKey> {
  const key = await parseVerifierKey(text);
  if (key.type !== "log") throw new VerifyFault("malformed", "it is a witness's key, not the log's");
  return key;
}

export async function standingOf(checkpoint: Checkpoint | null, { policy }: Trust): Promise<Standing> {
  if (checkpoint === null || policy === null) return { is: "unchecked" };
  try {
    const { signatures } = await openCheckpoint(checkpoint.note, policy);
    return { is: "true", signatures, policy };
  } catch (fault) {
    if (fault instanceof VerifyFault) return { is: "refused", sentence: `Do not rely on this checkpoint: ${fault.message}.` };
    throw fault;
  }
}
