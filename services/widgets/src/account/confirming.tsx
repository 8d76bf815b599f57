import { useState } from "preact/hooks";

import { RequestFault } from "../site/http";
import { StepHeading } from "../site/step_heading";
import type { AccountApi, Person } from "./account_api";
import { AccountForm, codeAsked, passwordAsked } from "./account_form";
import { Failure } from "./failure";
import { useSpeech, type Words } from "./language";
import { knowsPasskeys, showPasskey } from "./passkeys";

export type { Words };
/**
 * Does something; where it succeeds, `said` is what the page says then. `isLast`: nothing is left to be looked at anew. `about`: what
 * is said to be confirmed, should a confirmation be required.
 */
export type Attempt = (work: () => Promise<unknown>, said?: Words, isLast?: boolean, about?: Words) => Promise<void>;

export interface Waiting {
  readonly resume: () => Promise<void>;
  readonly about: Words | undefined;
}

export interface Attempts {
  readonly attempt: Attempt;
  readonly said: Words | null;
  readonly failed: unknown;
  /** What waits until somebody has shown again that it is them. */
  readonly waiting: Waiting | null;
  /** Drops what waits, where the form it was asked for in says something else by now, or is left. */
  readonly forget: () => void;
}

/** What people do on their page. What is dangerous waits for a confirmation where the last one is too long ago. */
export function useAttempts(look: () => Promise<void>): Attempts {
  const [said, setSaid] = useState<Words | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const attempt: Attempt = async (work, words, isLast = false, about = undefined) => {
    setSaid(null);
    setFailed(null);
    setWaiting(null);
    try {
      await work();
      if (isLast) return;
      setSaid(() => words ?? null);
      await look();
    } catch (reason) {
      const isTooLongAgo = reason instanceof RequestFault && reason.code === "confirmation_required";
      if (isTooLongAgo) setWaiting({ resume: () => attempt(work, words, isLast, about), about });
      else setFailed(reason);
    }
  };
  return { attempt, said, failed, waiting, forget: () => setWaiting(null) };
}

interface ConfirmationProps {
  readonly api: AccountApi;
  readonly person: Person;
  readonly about?: Words | undefined;
  readonly onConfirmed: () => void;
}

/** Password and code, or a passkey. */
export function Confirmation({ api, person, about, onConfirmed }: ConfirmationProps) {
  const { t } = useSpeech();
  const asks = person.usesApp || person.passkeys > 0 ? [passwordAsked(t), codeAsked(t)] : [passwordAsked(t)];
  const byPasskey = async () => {
    const begun = await api.beginConfirmation();
    await api.confirmByPasskey(begun.ceremony, await showPasskey(begun));
    onConfirmed();
  };
  return (
    <section class="once">
      <StepHeading>{t.confirmTitle}</StepHeading>
      {about !== undefined && (
        <p>
          <strong>{about(t)}</strong>
        </p>
      )}
      <p>{t.confirmIntro}</p>
      <AccountForm
        asks={asks}
        action={t.confirm}
        onSubmit={({ password = "", code = "" }) => api.confirm(password, code).then(onConfirmed)}
      />
      {person.passkeys > 0 && knowsPasskeys() && <PasskeyForm action={t.confirmWithPasskey} onShow={byPasskey} />}
    </section>
  );
}

/** One button that asks the browser for a passkey. */
export function PasskeyForm({ action, onShow }: { readonly action: string; readonly onShow: () => Promise<void> }) {
  const [failed, setFailed] = useState<unknown>(null);
  const show = () => {
    setFailed(null);
    onShow().catch(setFailed);
  };
  return (
    <>
      <Failure of={failed} />
      <p class="actions">
        <button type="button" class="outlined" onClick={show}>
          {action}
        </button>
      </p>
    </>
  );
}
