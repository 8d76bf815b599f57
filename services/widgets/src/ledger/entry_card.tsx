import { accountInWords, amountInWords, decodeEntry, kindInWords, type LedgerEntry, type Transfer } from "./entry";
import type { RawEntry } from "./log";

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

export function EntryCard({ raw }: { raw: RawEntry }) {
  const entry = decodeEntry(raw);
  if (entry === null) {
    return (
      <article class="entry">
        <h3>Entry {raw.index}</h3>
        <p>This page does not know this entry's format.</p>
      </article>
    );
  }
  return (
    <article class="entry">
      <h3>
        {kindInWords(entry.kind)} <span class="index">entry {entry.index}</span>
      </h3>
      <p class="about">
        <Time text={entry.time} /> · <code>{entry.organization}</code>
      </p>
      <Transfers entry={entry} />
    </article>
  );
}

function Time({ text }: { text: string }) {
  const time = new Date(text);
  return <time dateTime={text}>{Number.isNaN(time.getTime()) ? text : `${TIME.format(time)} UTC`}</time>;
}

function Transfers({ entry }: { entry: LedgerEntry }) {
  return (
    <ul class="transfers">
      {entry.transfers.map((transfer, line) => (
        <li key={line}>
          <span class="amount">{amountInWords(transfer.amount)}</span>
          <Accounts transfer={transfer} organization={entry.organization} />
        </li>
      ))}
    </ul>
  );
}

function Accounts({ transfer, organization }: { transfer: Transfer; organization: string }) {
  return (
    <span class="accounts">
      <span class="side">debit</span> {accountInWords(transfer.debit, organization)}, <span class="side">credit</span>{" "}
      {accountInWords(transfer.credit, organization)}
      {transfer.phase !== null && ` (${transfer.phase})`}
    </span>
  );
}
