/** Whom this page trusts, and what a checkpoint's signatures are worth to it. */

import {
  type Checkpoint,
  openCheckpoint,
  type Policy,
  parseKeyList,
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
 * A policy file, or a list of the log's keys, as people paste them.
 *
 * `formerKeys` is a list too: it makes nobody trusted, and holds those that are to the last size that it says.
 */
export async function trustFrom(text: string, formerKeys = ""): Promise<Trust> {
  try {
    const policy = isPolicy(text) ? await parsePolicy(text) : trusting(await parseKeyList(text));
    if (policy.logs.length === 0 && !isPolicy(text)) return NOBODY;
    return { policy: withLastSizes(policy, await parseKeyList(formerKeys)), fault: "" };
  } catch (fault) {
    if (fault instanceof VerifyFault) return { policy: null, fault: `The key cannot be used: ${fault.message}.` };
    throw fault;
  }
}

/** The same of what a person has typed or pasted, where a last newline is easily lost; that of a file must be there. */
export function trustFromField(text: string): Promise<Trust> {
  return trustFrom(text.endsWith("\n") ? text : `${text}\n`);
}

/** A key has no space in it, and a size in front of one is no word. */
function isPolicy(text: string): boolean {
  return text.split("\n").some((line) => /^[ \t]*(?:log|witness|group|quorum)[ \t]/.test(line));
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
