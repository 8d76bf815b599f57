import { useEffect, useState } from "preact/hooks";

import { sentenceOf } from "../site/http";
import { pause } from "../site/waiting";
import { type Checkpoint, type RawEntry, readCheckpoint, readEntries } from "./log";
import { type Standing, standingOf, type Trust } from "./trust";

const REFRESH_MILLISECONDS = 5_000;
const NEWEST = 20;

export interface LedgerView {
  /** Null when nothing has been published yet. */
  readonly checkpoint: Checkpoint | null;
  /** What its signatures say to those whom this site trusts. */
  readonly standing: Standing;
  /** Newest first. */
  readonly newest: readonly RawEntry[];
}

export interface Watched {
  readonly view: LedgerView | null;
  readonly fault: string;
}

/** Looks at the log every five seconds while `isPaused` is false and the page can be seen. */
export function useLedger(logUrl: string, trust: Trust, isPaused: boolean): Watched {
  const [watched, setWatched] = useState<Watched>({ view: null, fault: "" });
  useEffect(() => {
    if (isPaused) return undefined;
    const leaving = new AbortController();
    void watch(logUrl, trust, setWatched, leaving.signal);
    return () => leaving.abort();
  }, [logUrl, trust, isPaused]);
  return watched;
}

type Update = (change: (before: Watched) => Watched) => void;

async function watch(logUrl: string, trust: Trust, update: Update, signal: AbortSignal): Promise<void> {
  let shown: LedgerView | null = null;
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        const view: LedgerView = await look(logUrl, trust, shown);
        shown = view;
        if (!signal.aborted) update(() => ({ view, fault: "" }));
      } catch (fault) {
        // What was read before stays on the page; the sentence says that it is no longer fresh.
        if (!signal.aborted) update(({ view }) => ({ view, fault: sentenceOf(fault) }));
      }
    }
    await pause(REFRESH_MILLISECONDS, signal);
  }
}

async function look(logUrl: string, trust: Trust, before: LedgerView | null): Promise<LedgerView> {
  const checkpoint = await readCheckpoint(logUrl);
  if (checkpoint !== null && before?.checkpoint?.note === checkpoint.note) return before;
  const standing = await standingOf(checkpoint, trust);
  // What hangs from a checkpoint nobody should rely on is not shown as the ledger.
  const isEmpty = checkpoint === null || checkpoint.size === 0;
  if (isEmpty || standing.is === "refused") return { checkpoint, standing, newest: [] };
  const from = Math.max(0, checkpoint.size - NEWEST);
  const entries = await readEntries(logUrl, checkpoint.size, from, checkpoint.size);
  return { checkpoint, standing, newest: entries.reverse() };
}
