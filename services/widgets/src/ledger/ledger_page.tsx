import { useEffect, useState } from "preact/hooks";

import { sentenceOf } from "../site/http";
import { EntryCard } from "./entry_card";
import { type Checkpoint, type RawEntry, readEntries } from "./log";
import { useLedger } from "./watching";

interface LedgerPageProps {
  readonly logUrl: string;
  /** The entry that the page's address asks for. */
  readonly asked: number | null;
}

export function LedgerPage({ logUrl, asked }: LedgerPageProps) {
  const [isPaused, setPaused] = useState(false);
  const { view, fault } = useLedger(logUrl, isPaused);
  const checkpoint = view?.checkpoint ?? null;
  const isEmpty = view !== null && (checkpoint === null || checkpoint.size === 0);
  return (
    <>
      <p class="fault" role="alert">
        {fault}
      </p>
      {view === null && fault === "" && <p role="status">Reading the ledger…</p>}
      {checkpoint !== null && <CheckpointFacts checkpoint={checkpoint} logUrl={logUrl} />}
      {isEmpty && <p class="notice">The log is empty: no entry has been published yet.</p>}
      {asked !== null && checkpoint !== null && <Asked logUrl={logUrl} size={checkpoint.size} index={asked} />}
      {view !== null && (
        <div class="bar">
          <h2>Newest entries</h2>
          <button type="button" class="outlined" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            Pause updates
          </button>
        </div>
      )}
      {view !== null && <EntryList entries={view.newest} />}
    </>
  );
}

function EntryList({ entries }: { entries: readonly RawEntry[] }) {
  return (
    <ol class="entries" reversed>
      {entries.map((raw) => (
        <li key={raw.index}>
          <EntryCard raw={raw} />
        </li>
      ))}
    </ol>
  );
}

function CheckpointFacts({ checkpoint, logUrl }: { checkpoint: Checkpoint; logUrl: string }) {
  return (
    <section class="checkpoint" aria-labelledby="checkpoint">
      <h2 id="checkpoint">Checkpoint {checkpoint.size}</h2>
      <dl>
        <div>
          <dt>Log</dt>
          <dd>
            <code>{checkpoint.origin}</code>
          </dd>
        </div>
        <div>
          <dt>Entries</dt>
          <dd>{checkpoint.size}</dd>
        </div>
        <div>
          <dt>Root hash</dt>
          <dd>
            <code>{checkpoint.root}</code>
          </dd>
        </div>
      </dl>
      <p>
        <a href={`${logUrl}/checkpoint`}>The signed checkpoint</a>, as published.
      </p>
    </section>
  );
}

/** The entry a link points at. Loaded once a checkpoint covers it; a published entry never changes. */
function Asked({ logUrl, size, index }: { logUrl: string; size: number; index: number }) {
  const [raw, setRaw] = useState<RawEntry | null>(null);
  const [fault, setFault] = useState("");
  const isCovered = index < size;
  useEffect(() => {
    if (!isCovered) return;
    readEntries(logUrl, size, index, index + 1).then(
      ([found]) => setRaw(found ?? null),
      (reason: unknown) => setFault(sentenceOf(reason)),
    );
  }, [isCovered]);
  return (
    <section class="asked">
      <h2>The entry you asked for</h2>
      {!isCovered && <p>Entry {index} is not in a published checkpoint yet.</p>}
      {raw !== null && <EntryCard raw={raw} />}
      {fault !== "" && <p class="fault">{fault}</p>}
    </section>
  );
}
