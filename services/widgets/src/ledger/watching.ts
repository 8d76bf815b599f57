import { useEffect, useState } from "preact/hooks";

import { sentenceOf } from "../site/http";
import { pause } from "../site/waiting";
import { type Checkpoint, claimedCheckpoint, VerifyFault } from "../verify";
import { type ProvenEntry, readEntries, readNote } from "./log";
import { type Standing, standingOf, type Trust } from "./trust";

const REFRESH_MILLISECONDS = 5_000;
const NEWEST = 20n;

export interface LedgerView {
  /** The whole checkpoint file, signatures included; empty when nothing has been published yet. */
  readonly note: string;
  /** What it says of the tree; null when nothing has been published yet. */
  readonly claimed: Checkpoint | null;
  /** What its signatures say to those whom this site trusts. */
  readonly standing: Standing;
  /** Newest first, all proved to be in the tree that `standing` found true; none where it did not. */
  readonly newest: readonly ProvenEntry[];
  /** Why none are shown though the checkpoint is true: what is published is not what was signed. */
  readonly refusal: string;
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
        if (!signal.aborted) update(({ view }) => ({ view, fault: sentenceOn(fault) }));
      }
    }
    await pause(REFRESH_MILLISECONDS, signal);
  }
}

function sentenceOn(fault: unknown): string {
  return fault instanceof VerifyFault
    ? `The published checkpoint could not be read: ${fault.message}.`
    : sentenceOf(fault);
}

async function look(logUrl: string, trust: Trust, before: LedgerView | null): Promise<LedgerView> {
  const note = await readNote(logUrl);
  if (note === null) return NOTHING_PUBLISHED;
  if (before?.note === note && before.refusal === "") return before;
  const standing = await standingOf(note, trust);
  const claimed = await claimedCheckpoint(note);
  // What hangs from a checkpoint that nobody here has checked, or should rely on, is not shown as the ledger.
  if (standing.is !== "true") return { note, claimed, standing, newest: [], refusal: "" };
  const { size } = standing.checkpoint;
  try {
    const entries = await readEntries(logUrl, standing.checkpoint, size > NEWEST ? size - NEWEST : 0n, size);
    return { note, claimed, standing, newest: entries.reverse(), refusal: "" };
  } catch (fault) {
    return { note, claimed, standing, newest: [], refusal: refusalIn(fault) };
  }
}

const NOTHING_PUBLISHED: LedgerView = {
  note: "",
  claimed: null,
  standing: { is: "unchecked" },
  newest: [],
  refusal: "",
};

/** What to say of published files that do not prove what they hold. Anything else is thrown on. */
export function refusalIn(fault: unknown): string {
  if (fault instanceof VerifyFault) return `Not shown, for it is not what the ledger has signed: ${fault.message}.`;
  throw fault;
}
