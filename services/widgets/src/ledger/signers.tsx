import type { Policy, VerifiedSignature } from "../verify";

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

interface SignersProps {
  readonly signatures: readonly VerifiedSignature[];
  readonly policy: Policy;
}

/** Who has seen this checkpoint, and when each of them says so. */
export function Signers({ signatures, policy }: SignersProps) {
  // A witness that signed twice is one witness; its latest word counts.
  const witnesses = new Map<string, VerifiedSignature>();
  for (const signature of signatures) {
    const { key, seconds } = signature;
    if (seconds !== null && seconds >= (witnesses.get(key.keyId)?.seconds ?? 0n)) witnesses.set(key.keyId, signature);
  }
  const log = signatures.find(({ seconds }) => seconds === null);
  return (
    <>
      <div>
        <dt>Signed by</dt>
        <dd>
          the log's key <code>{log?.key.keyId}</code>: true
        </dd>
      </div>
      <div>
        <dt>Witnessed by</dt>
        <dd>
          {witnesses.size > 0 && (
            <ul class="witnesses">
              {[...witnesses.values()].map(({ key, seconds }) => (
                <li key={key.keyId}>
                  <code>{key.name}</code>, <Moment seconds={seconds ?? 0n} />
                </li>
              ))}
            </ul>
          )}
          <Demanded policy={policy} />
        </dd>
      </div>
    </>
  );
}

function Demanded({ policy }: { policy: Policy }) {
  if (policy.quorum === "none") {
    return <>No witness is demanded here, so this does not show that everybody sees the same ledger.</>;
  }
  return <>The quorum this site demands is met, of {policy.witnesses.size} known witnesses.</>;
}

/** A witness may say any time, also one that no calendar here can show. */
function Moment({ seconds }: { seconds: bigint }) {
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return <>at second {String(seconds)} since 1970</>;
  return <time dateTime={moment.toISOString()}>{MOMENT.format(moment)} UTC</time>;
}
