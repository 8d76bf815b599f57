import { useMemo, useState } from "preact/hooks";

import type { SiteConfig } from "../site/config";
import { useOnMount } from "../site/use_on_mount";
import { AccountApi } from "./account_api";
import { AccountForm, emailAsked, newPasswordAsked, passwordAsked } from "./account_form";
import { type Back, ComingBack } from "./coming_back";
import type { Words } from "./confirming";
import { Failure } from "./failure";
import { PeoplesPage } from "./frame";
import { useSpeech } from "./language";
import { OutsideWays } from "./outside";
import { OwnAccount } from "./own_account";
import { SignInForm } from "./sign_in_form";
import { usePerson } from "./who";

type Step = "account" | "returned" | "register" | "verify" | "reset" | "forgotten" | "confirm-email";

/** What somebody came for; the token is of the letter they came by, or empty. */
export interface Arrival {
  readonly step: Step;
  readonly token: string;
  /** What a provider sent them back with, where they returned from one. */
  readonly back: Back | null;
}

interface AccountPageProps {
  readonly config: SiteConfig;
  readonly arrival: Arrival;
}

/** Somebody's account, or the way to it. */
export function AccountPage({ config, arrival }: AccountPageProps) {
  return (
    <PeoplesPage config={config} title={(t) => t.accountTitle}>
      <Steps config={config} arrival={arrival} />
    </PeoplesPage>
  );
}

function Steps({ config, arrival }: AccountPageProps) {
  const { t } = useSpeech();
  const api = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const { person, isKnown, failed, look } = usePerson(api);
  const [step, setStep] = useState<Step>(arrival.step);
  const [said, setSaid] = useState<Words | null>(null);
  const [refused, setRefused] = useState<unknown>(null);
  useOnMount(() => void look());
  const say = (words: Words | null) => {
    setSaid(() => words);
    setRefused(null);
  };
  const go = (next: Step, words: Words | null = null) => {
    setStep(next);
    say(words);
  };
  const done = (words: Words | null) => void look().then(() => go("account", words));
  if (!isKnown) return <p role="status">{t.loading}</p>;
  return (
    <>
      <Saying said={said} fault={refused ?? failed} />
      {step === "account" && person !== null && (
        <OwnAccount
          api={api}
          person={person}
          isTestMode={config.isTestMode}
          hasSellerPortal={config.hasSellerPortal}
          onChanged={() => {
            say(null);
            return look();
          }}
          onGone={done}
        />
      )}
      {step === "account" && person === null && (
        <SignInForm api={api} onSignedIn={() => done(null)}>
          <OutsideWays api={api} onSay={say} />
        </SignInForm>
      )}
      {step === "returned" && arrival.back !== null && (
        <ComingBack
          api={api}
          back={arrival.back}
          isSignedIn={person !== null}
          onDone={done}
          onFailed={(reason) => {
            go("account");
            setRefused(reason);
          }}
        />
      )}
      {step !== "account" && step !== "returned" && (
        // What a letter changes may have ended this browser's session, too.
        <Letters step={step} token={arrival.token} api={api} onDone={done} />
      )}
      {person === null && <Ways step={step} onGo={go} />}
    </>
  );
}

/** What was done, or why it was not. */
function Saying({ said, fault }: { readonly said: Words | null; readonly fault: unknown }) {
  const { t } = useSpeech();
  return (
    <>
      <p role="status" class="said">
        {said === null ? "" : said(t)}
      </p>
      <Failure of={fault} />
    </>
  );
}

interface LettersProps {
  readonly step: Exclude<Step, "account" | "returned">;
  readonly token: string;
  readonly api: AccountApi;
  readonly onDone: (words: Words) => void;
}

/** What is asked for by letter, and what a letter asks for. */
function Letters({ step, token, api, onDone }: LettersProps) {
  const { t, language } = useSpeech();
  const did = (words: Words) => () => onDone(words);
  switch (step) {
    case "register":
      return (
        <AccountForm
          key={step}
          asks={[emailAsked(t), newPasswordAsked(t)]}
          action={t.register}
          onSubmit={({ email = "", password = "" }) =>
            api.register(email, password, language).then(did((said) => said.letterSent))
          }
        />
      );
    case "forgotten":
      return (
        <AccountForm
          key={step}
          asks={[emailAsked(t)]}
          action={t.askForPassword}
          onSubmit={({ email = "" }) => api.askForPassword(email, language).then(did((said) => said.letterSent))}
        />
      );
    case "verify":
      return (
        <AccountForm
          key={step}
          asks={[{ ...passwordAsked(t), label: t.chosenPassword }]}
          action={t.openAccount}
          onSubmit={({ password = "" }) => api.verify(token, password).then(did((said) => said.accountOpen))}
        />
      );
    case "reset":
      return (
        <AccountForm
          key={step}
          asks={[newPasswordAsked(t)]}
          action={t.usePassword}
          onSubmit={({ password = "" }) =>
            api.resetPassword(token, password).then(did((said) => said.passwordChangedSignIn))
          }
        />
      );
    case "confirm-email":
      return (
        <AccountForm
          key={step}
          asks={[]}
          action={t.useAddress}
          onSubmit={() => api.confirmEmail(token).then(did((said) => said.addressChangedSignIn))}
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
  const { t } = useSpeech();
  const ways = { account: t.signIn, register: t.register, forgotten: t.forgotten } as const;
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
