import { useEffect, useState } from "preact/hooks";

import { sentenceOf } from "../site/http";
import { type Checkpoint, toBase64, VerifyFault } from "../verify";
import { EntryCard } from "./entry_card";
import { type ProvenEntry, readEntries } from "./log";
import { ReceiptCheck } from "./receipt_check";
import { Signers } from "./signers";
import { NOBODY, type Standing, type Trust, trustFromField } from "./trust";
import { type LedgerView, refusalIn, useLedger } from "./watching";

interface LedgerPageProps {
  readonly logUrl: string;
  readonly trust: Trust;
  /** The entry that the page's address asks for. */
  readonly asked: bigint | null;
}

export function LedgerPage({ logUrl, trust, asked }: LedgerPageProps) {
  const [isPaused, setPaused] = useState(false);
  const [typedKey, setTypedKey] = useState("");
  const trusted = useTrust(trust, typedKey);
  const { view, fault } = useLedger(logUrl, trusted, isPaused);
  return (
    <>
      <p class="fault" role="alert">
        {fault}
      </p>
      {view === null && fault === "" && <p role="status">Reading the ledger…</p>}
      {view !== null && view.claimed !== null && (
        <CheckpointFacts checkpoint={view.claimed} standing={view.standing} logUrl={logUrl} />
      )}
      {view !== null && view.standing.is !== "refused" && (view.claimed?.size ?? 0n) === 0n && (
        <p class="notice">The log is empty: no entry has been published yet.</p>
      )}
      <ReceiptCheck trust={trust} typedKey={typedKey} onTypedKey={setTypedKey} />
      {asked !== null && view?.standing.is === "true" && (
        <Asked logUrl={logUrl} checkpoint={view.standing.checkpoint} index={asked} />
      )}
      {view !== null && (
        <div class="bar">
          <h2>Newest entries</h2>
          <button type="button" class="outlined" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            Pause updates
          </button>
        </div>
      )}
      {view !== null && <Newest view={view} />}
    </>
  );
}

/** What the site pins or, where it pins nothing, what the visitor has typed so far. */
function useTrust(pinned: Trust, typedKey: string): Trust {
  const [typed, setTyped] = useState<Trust>(NOBODY);
  useEffect(() => {
    let isLatest = true;
    if (pinned.policy === null)
      void trustFromField(typedKey).then((found) => isLatest && setTyped(found.policy === null ? NOBODY : found));
    return () => {
      isLatest = false;
    };
  }, [pinned, typedKey]);
  return pinned.policy === null ? typed : pinned;
}

function Newest({ view: { standing, newest, refusal } }: { view: LedgerView }) {
  if (refusal !== "") {
    return (
      <p class="fault" role="alert">
        {refusal} Try again later; if it stays so, tell those who run this ledger.
      </p>
    );
  }
  if (standing.is !== "true") {
    return (
      <p class="hint">
        Entries are shown here once they can be proved to be in a checkpoint whose signatures are true.
      </p>
    );
  }
  return (
    <>
      {newest.length > 0 && <p class="hint">Each was proved, on this device, to be in the checkpoint above.</p>}
      <ol class="entries" reversed>
        {newest.map((proven) => (
          <li key={String(proven.index)}>
            <EntryCard proven={proven} />
          </li>
        ))}
      </ol>
    </>
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
      <h2 id="checkpoint">Checkpoint {String(checkpoint.size)}</h2>
      <dl>
        <div>
          <dt>Log</dt>
          <dd>
            <code>{checkpoint.origin}</code>
          </dd>
        </div>
        <div>
          <dt>Entries</dt>
          <dd>{String(checkpoint.size)}</dd>
        </div>
        <div>
          <dt>Root hash</dt>
          <dd>
            <code>{toBase64(checkpoint.root)}</code>
          </dd>
        </div>
        {standing.is === "true" && <Signers signatures={standing.signatures} policy={standing.policy} />}
      </dl>
      {standing.is === "refused" && (
        <p class="fault" role="alert">
          {standing.sentence}
        </p>
      )}
      {standing.is === "unchecked" && (
        <p class="hint">
          This site pins no key, so its signatures were not checked here. Give the key below and they will be.
        </p>
      )}
      <p>
        <a href={`${logUrl}/checkpoint`}>The signed checkpoint</a>, as published. <a href="/trust/">What it proves.</a>
      </p>
    </section>
  );
}

/** The entry a link points at. Loaded once a checkpoint covers it; a published entry never changes. */
function Asked({ logUrl, checkpoint, index }: { logUrl: string; checkpoint: Checkpoint; index: bigint }) {
  const [proven, setProven] = useState<ProvenEntry | null>(null);
  const [fault, setFault] = useState("");
  const isCovered = index < checkpoint.size;
  // biome-ignore lint/correctness/useExhaustiveDependencies: an entry that a checkpoint covers is the same under every later one
  useEffect(() => {
    if (!isCovered) return;
    readEntries(logUrl, checkpoint, index, index + 1n).then(
      ([found]) => setProven(found ?? null),
      (reason: unknown) => setFault(reason instanceof VerifyFault ? refusalIn(reason) : sentenceOf(reason)),
    );
  }, [isCovered]);
  return (
    <section class="asked">
      <h2>The entry you asked for</h2>
      {!isCovered && <p>Entry {String(index)} is not in a published checkpoint yet.</p>}
      {proven !== null && <EntryCard proven={proven} />}
      {fault !== "" && <p class="fault">{fault}</p>}
    </section>
  );
}
