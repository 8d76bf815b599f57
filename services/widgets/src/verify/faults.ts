/**
 * What a check can end in, other than a proof. The kinds are those of `amply-verify`'s exit codes.
 *
 * `malformed` … `quorum`: checked, and refused. `no_key`, `unknown_version`: it could not be checked, which proves nothing.
 */
export type FaultKind =
  | "malformed"
  | "signature"
  | "proof"
  | "opening"
  | "mismatch"
  | "quorum"
  | "no_key"
  | "unknown_version";

/** The only thing that bad input raises here. `message` is one clause without a final stop. */
export class VerifyFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }

  /** False when nothing is known either way. */
  get isRefusal(): boolean {
    return this.kind !== "no_key" && this.kind !== "unknown_version";
  }
}

export function malformed(message: string): VerifyFault {
  return new VerifyFault("malformed", message);
}
