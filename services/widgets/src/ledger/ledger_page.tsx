import { useEffect, useState } from "preact/hooks";

import { sentenceOf } from "../site/http";
import { EntryCard } from "./entry_card";
import { ReceiptCheck } from "./receipt_check";
import { Signers } from "./signers";
import type { Standing, Trust } from "./trust";
import { type Checkpoint, type RawEntry, readEntries } from "./log";
import { useLedger } from "./watching";

interface LedgerPageProps {
  readonly logUrl: string;
  readonly trust: Trust;
  /** The entry that the page's address asks for. */
  readonly asked: number | null;
}

export function LedgerPage({ logUrl, trust, asked }: LedgerPageProps) {
  const [isPaused, setPaused] = useState(false);
  const { view, fault } = useLedger(logUrl, trust, isPaused);
  const checkpoint = view?.checkpoint ?? null;
  const isEmpty = view !== null && (checkpoint === null || checkpoint.size === 0);
  return (
    <>
      <p class="fault" role="alert">
        {fault}
      </p>
      {view === null && fault === "" && <p role="status">Reading the ledger…</p>}
      {view !== null && checkpoint !== null && (
        <CheckpointFacts checkpoint={checkpoint} standing={view.standing} logUrl={logUrl} />
      )}
      {isEmpty && <p class="notice">The log is empty: no entry has been published yet.</p>}
      <ReceiptCheck trust={trust} />
      {asked !== null && checkpoint !== null && view?.standing.is !== "refused" && (
        <Asked logUrl={logUrl} size={checkpoint.size} index={asked} />
      )}
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

interface CheckpointFactsProps {
  readonly checkpoint: Checkpoint;
  readonly standing: Standing;
  readonly logUrl: string;
}

function CheckpointFacts({ checkpoint, standing, logUrl }: CheckpointFactsProps) {
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
        {standing.is === "true" && <Signers signatures={standing.signatures} policy={standing.policy} />}
      </dl>
      {standing.is === "refused" && (
        <p class="fault" role="alert">
          {standing.sentence}
        </p>
      )}
      {standing.is === "unchecked" && <p class="hint">This site pins no key, so its signatures were not checked here.</p>}
      <p>
        <a href={`${logUrl}/checkpoint`}>The signed checkpoint</a>, as published. <a href="/trust/">What it proves.</a>
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
