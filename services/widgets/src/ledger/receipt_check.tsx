import { useEffect, useRef, useState } from "preact/hooks";

import { MAX_RECEIPT_BYTES, type VerifiedReceipt, VerifyFault, verifyReceipt } from "../verify";
import { ReceiptVerdict } from "./receipt_verdict";
import { type Trust, trustFromField } from "./trust";

export type Verdict =
  | { readonly is: "genuine"; readonly file: string; readonly receipt: VerifiedReceipt }
  | { readonly is: "fault"; readonly file: string; readonly fault: VerifyFault };

interface ReceiptCheckProps {
  /** What the site pins. */
  readonly trust: Trust;
  /** What the visitor gives instead, where it pins nothing. */
  readonly typedKey: string;
  readonly onTypedKey: (text: string) => void;
}

/** Takes a receipt by drop or by choice and checks it here: nothing of it leaves the page, with or without a network. */
export function ReceiptCheck({ trust, typedKey, onTypedKey }: ReceiptCheckProps) {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const latest = useRef(0);

  async function check(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    latest.current += 1;
    const turn = latest.current;
    const found = await verdictOn(file, trust.policy === null ? await trustFromField(typedKey) : trust);
    if (turn === latest.current) setVerdict(found);
  }

  return (
    <section class="check" aria-labelledby="check">
      <h2 id="check">Check a receipt</h2>
      <p class="hint" id="check-hint">
        The file ends in <code>.tlog-proof</code> and came with your receipt. It is checked on this device, even without
        a connection: it is not sent anywhere.
      </p>
      {trust.policy === null && <KeyField fault={trust.fault} typed={typedKey} onTyped={onTypedKey} />}
      <FileDoor onFile={(file) => void check(file)} />
      <div aria-live="polite">{verdict !== null && <ReceiptVerdict verdict={verdict} />}</div>
    </section>
  );
}

/** Takes a file by drop, anywhere on the page, or by choice. */
function FileDoor({ onFile }: { onFile: (file: File | undefined) => void }) {
  const [isOver, setOver] = useState(false);
  const newest = useRef(onFile);
  newest.current = onFile;
  useEffect(() => {
    // Anywhere: a file dropped beside the frame would replace the page.
    const leaving = new AbortController();
    const listen = { signal: leaving.signal };
    document.addEventListener(
      "dragover",
      (event) => {
        event.preventDefault();
        setOver(true);
      },
      listen,
    );
    document.addEventListener("dragleave", () => setOver(false), listen);
    document.addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        setOver(false);
        newest.current(event.dataTransfer?.files[0]);
      },
      listen,
    );
    return () => leaving.abort();
  }, []);
  return (
    <div class={isOver ? "drop over" : "drop"}>
      <label for="receipt">Drop the receipt here, or choose it</label>
      <input
        id="receipt"
        type="file"
        accept=".tlog-proof"
        aria-describedby="check-hint"
        onChange={({ currentTarget }) => {
          onFile(currentTarget.files?.[0]);
          currentTarget.value = ""; // the same file may be chosen again
        }}
      />
    </div>
  );
}

interface KeyFieldProps {
  readonly fault: string;
  readonly typed: string;
  readonly onTyped: (text: string) => void;
}

function KeyField({ fault, typed, onTyped }: KeyFieldProps) {
  return (
    <div class="field">
      {fault !== "" && <p class="fault">{fault}</p>}
      <label for="key">The ledger's verifier key, its list of keys, or a policy</label>
      <p class="hint" id="key-hint">
        This site pins none. Take it from where the ledger's operator publishes it, not from the receipt.
      </p>
      <div class="input">
        <textarea
          id="key"
          rows={3}
          autocomplete="off"
          spellcheck={false}
          aria-describedby="key-hint"
          value={typed}
          onInput={({ currentTarget }) => onTyped(currentTarget.value)}
        />
      </div>
    </div>
  );
}

async function verdictOn(file: File, { policy, fault }: Trust): Promise<Verdict> {
  try {
    if (policy === null)
      throw new VerifyFault("no_key", fault === "" ? "there is no key to check it with" : fault.replace(/\.$/, ""));
    // Nobody's receipt is larger; a film dropped by mistake need not be read into memory.
    const bytes = new Uint8Array(await file.slice(0, MAX_RECEIPT_BYTES + 1).arrayBuffer());
    return { is: "genuine", file: file.name, receipt: await verifyReceipt(bytes, policy) };
  } catch (reason) {
    const known = reason instanceof VerifyFault ? reason : new VerifyFault("no_key", "the file could not be read");
    return { is: "fault", file: file.name, fault: known };
  }
}
