import { useEffect, useMemo, useState } from "preact/hooks";

import { AccountApi } from "../account/account_api";
import { AccountForm } from "../account/account_form";
import { PeoplesPage } from "../account/frame";
import { useSpeech } from "../account/language";
import { Copying } from "../account/shown_once";
import { SignInForm } from "../account/sign_in_form";
import { usePerson } from "../account/who";
import type { SiteConfig } from "../site/config";
import { StepHeading } from "../site/step_heading";
import { useOnMount } from "../site/use_on_mount";
import { pause } from "../site/waiting";
import { commandsOf, type Trial } from "./commands";
import { TrialsApi } from "./trials_api";

const LOOKS_MAX = 30;
const LOOK_MILLISECONDS = 2_000;

/** How somebody who integrates begins, in a sandbox. */
export function IntegratePage({ config }: { readonly config: SiteConfig }) {
  return (
    <PeoplesPage config={config} title={(t) => t.integrateTitle}>
      <Trying config={config} />
    </PeoplesPage>
  );
}

function Trying({ config }: { readonly config: SiteConfig }) {
  const { t, language, fault } = useSpeech();
  const accounts = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const api = useMemo(() => new TrialsApi(config.apiUrl), [config]);
  const { person, isKnown, failed, look } = usePerson(accounts);
  const [trial, setTrial] = useState<Trial | null>(null);
  useOnMount(() => void look());
  if (!config.isTestMode) return <p>{t.integrateElsewhere}</p>;
  if (!isKnown) return <p role="status">{t.loading}</p>;
  if (trial !== null) return <FirstGift api={api} trial={trial} />;
  return (
    <>
      <p>{t.integrateAbout}</p>
      <p class="fault" role="alert">
        {failed === null ? "" : fault(failed)}
      </p>
      {person === null && failed === null && (
        <>
          <p>{t.integrateAccount}</p>
          <SignInForm api={accounts} onSignedIn={() => void look()} />
          <p>
            <a href="/account/?register">{t.register}</a>
          </p>
        </>
      )}
      {person !== null && (
        <>
          <p>{t.signedInAs(person.email)}</p>
          <AccountForm
            asks={[
              { name: "name", label: t.integrateName, autocomplete: "off", hint: t.integrateNote, maxLength: 200 },
            ]}
            action={t.integrateMake}
            onSubmit={({ name = "" }) => api.make(name, language).then(setTrial)}
          />
        </>
      )}
    </>
  );
}

type Standing = "integrateWaiting" | "integrateReady" | "integrateNotYet";

function FirstGift({ api, trial }: { readonly api: TrialsApi; readonly trial: Trial }) {
  const { t } = useSpeech();
  const [standing, setStanding] = useState<Standing>("integrateWaiting");
  useEffect(() => {
    const left = new AbortController();
    void watch(api, trial.organizationId, left.signal).then((found) => !left.signal.aborted && setStanding(found));
    return () => left.abort();
  }, [api, trial.organizationId]);
  return (
    <>
      <StepHeading>{t.integrateCommands}</StepHeading>
      <p role="status">{t[standing]}</p>
      <p>{t.integrateShell}</p>
      {commandsOf(trial).map((command, step) => (
        <section key={command} class="once">
          <h3>{t.integrateSteps[step]}</h3>
          {/* biome-ignore lint/a11y/useSemanticElements: a section in its place would keep no lines */}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: wider than a telephone, it is scrolled, also by keyboard */}
          <pre tabIndex={0} role="region" aria-label={t.integrateSteps[step]}>
            <code>{command}</code>
          </pre>
          <Copying text={command} about={t.integrateSteps[step] ?? ""} />
        </section>
      ))}
      <p>{t.integrateVerify}</p>
      <p class="actions">
        <a href="/ledger/">{t.integrateLedger}</a>
        <a href={`/account/keys/?org=${encodeURIComponent(trial.organizationId)}`}>{t.integrateKeys}</a>
      </p>
    </>
  );
}

/** Until the processor lets it take gifts, or for a minute. */
async function watch(api: TrialsApi, organizationId: string, left: AbortSignal): Promise<Standing> {
  for (let looks = 0; looks < LOOKS_MAX && !left.aborted; looks++) {
    // One look that fails says nothing about the next one.
    if (await api.takesGifts(organizationId).catch(() => false)) return "integrateReady";
    await pause(LOOK_MILLISECONDS, left);
  }
  return "integrateNotYet";
}
