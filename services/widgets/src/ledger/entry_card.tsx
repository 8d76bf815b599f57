import type { Entry, VerifiedTransfer } from "../verify";
import { accountInWords, amountInWords, kindInWords } from "./entry";
import type { ProvenEntry } from "./log";

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

export function EntryCard({ proven: { index, entry, fault } }: { proven: ProvenEntry }) {
  if (entry === null) {
    return (
      <article class="entry">
        <h3>Entry {String(index)}</h3>
        {fault.isRefusal ? (
          <p class="fault">
            The ledger has signed it, and it is not a proper entry, so it is not shown: {fault.message}.
          </p>
        ) : (
          <p>It is in the ledger, and this page cannot read it: {fault.message}.</p>
        )}
      </article>
    );
  }
  return (
    <article class="entry">
      <h3>
        {kindInWords(entry.kind)} <span class="index">entry {String(index)}</span>
      </h3>
      <p class="about">
        <time dateTime={entry.ts}>{TIME.format(new Date(entry.ts))} UTC</time> · <code>{entry.org}</code>
      </p>
      <Transfers entry={entry} />
    </article>
  );
}

function Transfers({ entry }: { entry: Entry }) {
  return (
    <ul class="transfers">
      {entry.transfers.map((transfer, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an entry never changes
        <li key={line}>
          <span class="amount">{amountInWords({ minorUnits: transfer.amountMinor, currency: transfer.currency })}</span>
          <Accounts transfer={transfer} organization={entry.org} />
        </li>
      ))}
    </ul>
  );
}

function Accounts({ transfer, organization }: { transfer: VerifiedTransfer; organization: string }) {
  return (
    <span class="accounts">
      <span class="side">debit</span> {accountInWords(transfer.debit, organization)}, <span class="side">credit</span>{" "}
      {accountInWords(transfer.credit, organization)}
      {transfer.phase !== null && ` (${transfer.phase})`}
    </span>
  );
}
