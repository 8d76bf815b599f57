/** Whom this page trusts, and what a checkpoint's signatures are worth to it. */

import {
  type Checkpoint,
  openCheckpoint,
  type Policy,
  parseListedKey,
  parsePolicy,
  trusting,
  type VerifiedSignature,
  VerifyFault,
  withLastSizes,
} from "../verify";

/** `policy` is null where nobody is pinned; `fault` says what is wrong with what is. */
export interface Trust {
  readonly policy: Policy | null;
  readonly fault: string;
}

export const NOBODY: Trust = { policy: null, fault: "" };

/** `true` alone carries a checkpoint from which entries may be shown. */
export type Standing =
  | { readonly is: "unchecked" }
  | {
      readonly is: "true";
      readonly checkpoint: Checkpoint;
      readonly signatures: readonly VerifiedSignature[];
      readonly policy: Policy;
    }
  | { readonly is: "refused"; readonly sentence: string };

/**
 * A policy file, or a list of the log's keys, as people paste them; lines that begin with # are words.
 *
 * `formerKeys` is a list too: it makes nobody trusted, and holds those that are to the last size that it says.
 */
export async function trustFrom(text: string, formerKeys = ""): Promise<Trust> {
  const said = linesOf(text);
  if (said.length === 0) return NOBODY;
  try {
    const areKeys = said.every((line) => LISTED.test(line));
    const policy = areKeys
      ? trusting(await Promise.all(said.map(parseListedKey)))
      : await parsePolicy(`${said.join("\n")}\n`);
    const former = await Promise.all(linesOf(formerKeys).map(parseListedKey));
    return { policy: withLastSizes(policy, former), fault: "" };
  } catch (fault) {
    if (fault instanceof VerifyFault) return { policy: null, fault: `The key cannot be used: ${fault.message}.` };
    throw fault;
  }
}

const LISTED = /^(?:[0-9]+ )?\S+$/;

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

export async function standingOf(note: string, { policy }: Trust): Promise<Standing> {
  if (policy === null) return { is: "unchecked" };
  try {
    return { is: "true", policy, ...(await openCheckpoint(note, policy)) };
  } catch (fault) {
    if (fault instanceof VerifyFault)
      return { is: "refused", sentence: `Do not rely on this checkpoint: ${fault.message}.` };
    throw fault;
  }
}
