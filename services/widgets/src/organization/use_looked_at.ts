import { useEffect } from "preact/hooks";

import { RequestFault } from "../site/http";
import { pause } from "../site/waiting";

const LOOK_EVERY_MILLISECONDS = 1_000;
const LOOKS_MAX = 60;

/**
 * While something is under way it is looked at anew, for a minute: it mostly takes seconds, and some banks take days.
 * `underWay`: what it is, or empty where nothing is; something else has a minute of its own.
 */
export function useLookedAt(underWay: string, look: () => Promise<void>): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `look` is another function each time and asks the same
  useEffect(() => {
    if (underWay === "") return;
    const left = new AbortController();
    void lookAgain(look, left.signal);
    return () => left.abort();
  }, [underWay]);
}

async function lookAgain(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    await pause(LOOK_EVERY_MILLISECONDS, signal);
    if (signal.aborted) return;
    try {
      await look();
    } catch (reason) {
      if (!(reason instanceof RequestFault && reason.isPassing)) return;
    }
  }
}
