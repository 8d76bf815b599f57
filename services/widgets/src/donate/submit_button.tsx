import { useSpeech } from "./language";

/** Why the donor waits, while they do. */
export type Wait = "" | "sending" | "checking";

/** Continues to the payment; and says what takes so long where the server has asked for a proof of work. */
export function SubmitButton({ wait }: { wait: Wait }) {
  const { t } = useSpeech();
  return (
    <>
      <p class="hint" role="status">
        {wait === "checking" && t.checking}
      </p>
      <button type="submit" class="primary" aria-disabled={wait !== ""}>
        {wait === "" ? t.toPayment : t.oneMoment}
      </button>
    </>
  );
}
