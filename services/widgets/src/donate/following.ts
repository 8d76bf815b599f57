import type { Api, Donation } from "../site/api";
import { RequestFault } from "../site/http";
import { pause } from "../site/waiting";

const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 5_000;
const PAUSE_GROWTH = 1.25;
const MOST_LOOKS = 60;

/** Nothing more will change: the payment failed, or the gift stands in a published checkpoint. */
export function isSettled({ status, ledger }: Donation): boolean {
  if (status === "failed" || status === "canceled") return true;
  return status === "succeeded" && ledger !== null && ledger.checkpointSize !== null;
}

/** The donation until it is settled, as `watch` looks. */
export function follow(api: Api, donationId: string, signal: AbortSignal): AsyncGenerator<Donation> {
  return watch(() => api.donation(donationId), isSettled, signal);
}

/**
 * Looks until what is seen is over, ever more slowly, for about five minutes; ends early when aborted.
 *
 * Passing faults are waited out. Throws RequestFault when the answer is final.
 */
export async function* watch<Seen>(
  look: () => Promise<Seen>,
  isOver: (seen: Seen) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Seen> {
  let milliseconds = FIRST_PAUSE_MILLISECONDS;
  for (let looks = 0; looks < MOST_LOOKS && !signal.aborted; looks += 1) {
    try {
      const seen = await look();
      if (signal.aborted) return;
      yield seen;
      if (isOver(seen)) return;
    } catch (fault) {
      if (!(fault instanceof RequestFault) || !fault.isPassing) throw fault;
    }
    await pause(milliseconds, signal);
    milliseconds = Math.min(milliseconds * PAUSE_GROWTH, LONGEST_PAUSE_MILLISECONDS);
  }
}
