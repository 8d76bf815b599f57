/** Why the donor waits, while they do. */
export type Wait = "" | "sending" | "checking";

/** Continues to the payment; and says what takes so long where the server has asked for a proof of work. */
export function SubmitButton({ wait }: { wait: Wait }) {
  return (
    <>
      <p class="hint" role="status">
        {wait === "checking" &&
          "Your browser is working out a small proof that nobody is trying stolen cards here. It takes some seconds, and you need do nothing."}
      </p>
      <button type="submit" class="primary" aria-disabled={wait !== ""}>
        {wait === "" ? "Continue to payment" : "One moment…"}
      </button>
    </>
  );
}
