import { useEffect, useRef, useState } from "preact/hooks";

import { RequestFault } from "../site/http";
import { StepHeading } from "../site/step_heading";
import { useOnMount } from "../site/use_on_mount";
import type { AccountApi, Arrived } from "./account_api";
import { AccountForm, codeAsked, passwordAsked } from "./account_form";
import type { Words } from "./confirming";
import { Told, useSpeech } from "./language";
import { SignInForm } from "./sign_in_form";

/** What a provider sent the browser back with: a code, or an error instead (RFC 6749 §4.1.2). */
export interface Back {
  readonly state: string;
  readonly code: string;
  /** Who the provider says it is (RFC 9207), where it does. */
  readonly iss: string | null;
  readonly error: string | null;
}

/** What came back, taken from an address; null where nothing did. */
export function backFrom(query: URLSearchParams): Back | null {
  const [state, code, error] = [query.get("state") ?? "", query.get("code") ?? "", query.get("error")];
  if (error === null && (state === "" || code === "")) return null;
  return { state, code, iss: query.get("iss"), error };
}

interface ComingBackProps {
  readonly api: AccountApi;
  readonly back: Back;
  /** Then it was begun to link the provider with their account. */
  readonly isSignedIn: boolean;
  readonly onDone: (words: Words | null) => void;
  readonly onFailed: (reason: unknown) => void;
}

/** Finishes what was begun before the browser was sent to a provider, and asks for what is still missing. */
export function ComingBack({ api, back, isSignedIn, onDone, onFailed }: ComingBackProps) {
  const { t } = useSpeech();
  const [missing, setMissing] = useState<Arrived>(null);
  const linked = () => onDone((words) => words.providerLinked);
  const finish = async () => {
    // What the provider says of its error is not shown: anybody can write it into a link.
    if (back.error !== null)
      throw new Told((words) => (back.error === "access_denied" ? words.outsideDeclined : words.outsideFailed));
    if (isSignedIn) return api.finishLink(back).then(linked);
    const arrived = await api.finishOutside(back);
    return arrived === null ? onDone(null) : setMissing(arrived);
  };
  useOnMount(() => void finish().catch(onFailed));
  if (missing === null) return <p role="status">{t.finishing}</p>;
  if (missing.needs === "link") return <LinkForm api={api} pending={missing.pending} onLinked={linked} />;
  return (
    <>
      <StepHeading>{t.confirmTitle}</StepHeading>
      <SignInForm api={api} needed={missing} onSignedIn={() => onDone(null)} />
    </>
  );
}

interface LinkFormProps {
  readonly api: AccountApi;
  readonly pending: string;
  readonly onLinked: () => void;
}

/** Whose address has an account shows that it is theirs. A code is asked for once the password was right and it is missing. */
function LinkForm({ api, pending, onLinked }: LinkFormProps) {
  const { t } = useSpeech();
  const [needsCode, setNeedsCode] = useState(false);
  const code = useRef<HTMLInputElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the field is there once a code is needed
  useEffect(() => code.current?.focus(), [needsCode]);
  const link = async ({ password = "", code: typed = "" }) => {
    try {
      await api.linkOutside(pending, password, typed === "" ? null : typed);
      onLinked();
    } catch (reason) {
      const isMissing = typed === "" && reason instanceof RequestFault && reason.code === "factor_refused";
      if (!isMissing || needsCode) throw reason;
      setNeedsCode(true);
    }
  };
  const asks = needsCode
    ? [passwordAsked(t), { ...codeAsked(t), hint: t.linkCodeHint, inputRef: code }]
    : [passwordAsked(t)];
  return (
    <section class="once">
      <StepHeading>{t.linkTitle}</StepHeading>
      <p>{t.linkIntro}</p>
      <AccountForm asks={asks} action={t.linkAndSignIn} onSubmit={link} />
    </section>
  );
}
