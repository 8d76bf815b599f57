import type { ComponentChildren } from "preact";

import { type FaultKind, toHex, type VerifiedReceipt, type VerifyFault } from "../verify";
import { accountInWords, amountInWords, kindInWords } from "./entry";
import type { Verdict } from "./receipt_check";
import { Signers } from "./signers";

const ADVICE: Readonly<Record<FaultKind, string>> = {
  malformed: "Ask whoever gave it to you for the original.",
  signature: "A former key of the log may have signed it, or a stranger's: ask which before you rely on it.",
  proof: "The ledger does not hold this entry like this.",
  opening: "The entry is real, and it is not about this value.",
  mismatch: "Its parts come from different places.",
  quorum: "Ask for the receipt again: it may have been made before the witnesses answered.",
  no_key: "Nothing was checked. Give the ledger's key and try again.",
  unknown_version: "This page is too old for it: use a newer amply-verify.",
};

const FIELDS: ReadonlyMap<string, string> = new Map([
  ["donor_name", "Name"],
  ["donor_email", "E-mail address"],
  ["donation_id", "Donation id"],
  ["reference", "Payment"],
]);

export function ReceiptVerdict({ verdict }: { verdict: Verdict }) {
  return verdict.is === "genuine" ? (
    <Genuine file={verdict.file} receipt={verdict.receipt} />
  ) : (
    <Faulty file={verdict.file} fault={verdict.fault} />
  );
}

function Faulty({ file, fault }: { file: string; fault: VerifyFault }) {
  return (
    <div class="verdict refused">
      <h3>{fault.isRefusal ? "Do not rely on this receipt" : "This receipt could not be checked"}</h3>
      <p>
        <code>{file}</code>: {fault.message}. {ADVICE[fault.kind]}
      </p>
    </div>
  );
}

function Genuine({ file, receipt }: { file: string; receipt: VerifiedReceipt }) {
  const { entry, checkpoint, opened, signatures } = receipt;
  return (
    <div class="verdict genuine">
      <h3>This receipt is genuine</h3>
      <p>
        <code>{file}</code>: the ledger <code>{checkpoint.origin}</code> has signed for this entry and can no longer
        change it.
      </p>
      <dl>
        <Fact name={kindInWords(entry.kind)}>
          {entry.transfers.map(({ amountMinor, currency, debit, credit, phase }, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an entry never changes
            <p key={line}>
              <span class="amount">{amountInWords({ minorUnits: amountMinor, currency })}</span> debit{" "}
              {accountInWords(debit, entry.org)}, credit {accountInWords(credit, entry.org)}
              {phase !== null && ` (${phase})`}
            </p>
          ))}
        </Fact>
        {[...opened].map(([field, value]) => (
          <Fact key={field} name={FIELDS.get(field) ?? field.replaceAll("_", " ")}>
            {value}
          </Fact>
        ))}
        <Fact name="Organisation">
          <code>{entry.org}</code>
        </Fact>
        <Fact name="When">{entry.ts.replace("T", " ").replace("Z", " UTC")}</Fact>
        <Fact name="Entry">
          <code>{entry.id}</code>, number {String(receipt.index)} of {String(checkpoint.size)} from 0, leaf hash{" "}
          <code>{toHex(receipt.leafHash)}</code>
        </Fact>
        <Signers signatures={signatures} policy={receipt.policy} />
      </dl>
      <p>
        <a href="/trust/">What this proves, and what it does not.</a>
      </p>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
