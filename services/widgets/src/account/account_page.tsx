import { useEffect, useMemo, useState } from "preact/hooks";

import type { SiteConfig } from "../site/config";
import { RequestFault, sentenceOf } from "../site/http";
import { AccountApi, type Person } from "./account_api";
import { AccountForm, EMAIL, NEW_PASSWORD, PASSWORD } from "./account_form";
import { OwnAccount } from "./own_account";
import { SignInForm } from "./sign_in_form";

type Step = "account" | "register" | "verify" | "reset" | "forgotten" | "confirm-email";

/** What somebody came for; the token is of the letter they came by, or empty. */
export interface Arrival {
  readonly step: Step;
  readonly token: string;
}

interface AccountPageProps {
  readonly config: SiteConfig;
  readonly arrival: Arrival;
}

const UNAUTHORIZED = 401;
const LETTER = "A letter is on its way to this address; it says what to do next.";

/** Somebody's account, or the way to it. */
export function AccountPage({ config, arrival }: AccountPageProps) {
  const api = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const [step, setStep] = useState<Step>(arrival.step);
  const [person, setPerson] = useState<Person | null>(null);
  const [isKnown, setKnown] = useState(false);
  const [said, setSaid] = useState("");
  const look = async () => {
    setPerson(
      await api.me().catch((reason: unknown) => {
        if (!(reason instanceof RequestFault) || reason.status !== UNAUTHORIZED) setSaid(sentenceOf(reason));
        return null;
      }),
    );
    setKnown(true);
  };
  useEffect(() => void look(), []);
  const go = (next: Step, sentence = "") => {
    setStep(next);
    setSaid(sentence);
  };
  if (!isKnown) return <p role="status">Loading…</p>;
  return (
    <>
      <h1>Your account</h1>
      {config.isTestMode && <p class="notice">Test mode: no real money moves.</p>}
      <p role="status">{said}</p>
      {step === "account" && person !== null && <OwnAccount api={api} person={person} onChanged={() => void look()} />}
      {step === "account" && person === null && <SignInForm api={api} onSignedIn={() => void look().then(() => go("account"))} />}
      {step !== "account" && <Letters step={step} token={arrival.token} api={api} onDone={(sentence) => go("account", sentence)} />}
      {person === null && <Ways step={step} onGo={go} />}
    </>
  );
}

interface LettersProps {
  readonly step: Exclude<Step, "account">;
  readonly token: string;
  readonly api: AccountApi;
  readonly onDone: (sentence: string) => void;
}

/** What is asked for by letter, and what a letter asks for. */
function Letters({ step, token, api, onDone }: LettersProps) {
  const did = (sentence: string) => () => onDone(sentence);
  switch (step) {
    case "register":
      return (
        <AccountForm
          asks={[EMAIL, NEW_PASSWORD]}
          action="Ask for an account"
          onSubmit={({ email = "", password = "" }) => api.register(email, password).then(did(LETTER))}
        />
      );
    case "forgotten":
      return (
        <AccountForm
          asks={[EMAIL]}
          action="Ask for a new password"
          onSubmit={({ email = "" }) => api.askForPassword(email).then(did(LETTER))}
        />
      );
    case "verify":
      return (
        <AccountForm
          asks={[{ ...PASSWORD, label: "The password you chose" }]}
          action="Open the account"
          onSubmit={({ password = "" }) => api.verify(token, password).then(did("Your account is open: sign in."))}
        />
      );
    case "reset":
      return (
        <AccountForm
          asks={[NEW_PASSWORD]}
          action="Use this password"
          onSubmit={({ password = "" }) => api.resetPassword(token, password).then(did("Your password is changed: sign in with it."))}
        />
      );
    case "confirm-email":
      return (
        <AccountForm
          asks={[]}
          action="Use this address"
          onSubmit={() => api.confirmEmail(token).then(did("Your address is changed: sign in with it."))}
        />
      );
  }
}

interface WaysProps {
  readonly step: Step;
  readonly onGo: (step: Step) => void;
}

/** Where else to go without being signed in. */
function Ways({ step, onGo }: WaysProps) {
  const ways = { account: "Sign in", register: "Ask for an account", forgotten: "I forgot my password" } as const;
  return (
    <p class="actions">
      {Object.entries(ways).map(
        ([way, name]) =>
          way !== step && (
            <button key={way} type="button" class="outlined" onClick={() => onGo(way as Step)}>
              {name}
            </button>
          ),
      )}
    </p>
  );
}
