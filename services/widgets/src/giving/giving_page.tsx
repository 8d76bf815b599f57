import { useMemo, useState } from "preact/hooks";

import { Languages, useLanguageAround, useTitle } from "../language/chooser";
import { firstLanguage, keepLanguage } from "../language/kept";
import type { Language } from "../language/language";
import type { SiteConfig } from "../site/config";
import { RequestFault } from "../site/http";
import { useOnMount } from "../site/use_on_mount";
import { DataSharingSection } from "./data_sharing";
import { GiftsApi, type Recipient } from "./gifts_api";
import { SpokenIn, speechIn, useSpeech } from "./language";
import { LinkForm } from "./link_form";
import { type Plan, PlansApi } from "./plans_api";
import { RecipientSection } from "./recipient_section";

interface GivingPageProps {
  readonly config: SiteConfig;
  /** Of the link in a letter; empty when the page was opened without one. */
  readonly token: string;
  /** Forgets the token. */
  readonly onForget: () => void;
}

const UNAUTHORIZED = 401;

/** The page in the reader's language. */
export function GivingPage(props: GivingPageProps) {
  const [language, setLanguage] = useState(firstLanguage);
  const speech = useMemo(() => speechIn(language), [language]);
  useLanguageAround(language, speech.t.skipLink);
  useTitle(speech.t.title);
  const choose = (chosen: Language) => {
    keepLanguage(chosen);
    setLanguage(chosen);
  };
  return (
    <SpokenIn value={speech}>
      <OwnPage {...props} />
      <Languages label={speech.t.language} chosen={language} onChoose={choose} />
    </SpokenIn>
  );
}

/** What a donor has given, or the way to it. */
function OwnPage({ config, token, onForget }: GivingPageProps) {
  const { t, fault: worded } = useSpeech();
  const plansApi = useMemo(() => new PlansApi(config.apiUrl, token), [config, token]);
  const giftsApi = useMemo(() => new GiftsApi(config.apiUrl, token), [config, token]);
  const [plans, setPlans] = useState<readonly Plan[]>([]);
  const [recipients, setRecipients] = useState<readonly Recipient[] | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [needsLink, setNeedsLink] = useState(token === "");
  const forget = () => {
    onForget();
    setRecipients(null);
    setFailed(null);
    setNeedsLink(true);
  };
  useOnMount(() => {
    if (token === "") return;
    Promise.all([plansApi.plans(), giftsApi.recipients()]).then(
      ([found, given]) => {
        setPlans(found);
        setRecipients(withPlansAlone(given, found));
      },
      (reason: unknown) => {
        if (reason instanceof RequestFault && reason.status === UNAUTHORIZED) forget();
        setFailed(reason);
      },
    );
  });
  const replace = (changed: Plan) => setPlans((now) => now.map((plan) => (plan.id === changed.id ? changed : plan)));
  return (
    <>
      <h1>{t.title}</h1>
      {config.isTestMode && <p class="notice">{t.testMode}</p>}
      <p class="fault" role="alert">
        {failed === null ? "" : worded(failed)}
      </p>
      {needsLink && <LinkForm api={plansApi} />}
      {!needsLink && recipients === null && failed === null && <p role="status">{t.loading}</p>}
      {recipients?.length === 0 && <p>{t.nothing}</p>}
      {recipients?.map((recipient) => (
        <RecipientSection
          key={recipient.id}
          recipient={recipient}
          plans={plans.filter((plan) => plan.organizationId === recipient.id)}
          plansApi={plansApi}
          giftsApi={giftsApi}
          stripeJsUrl={config.stripeJsUrl}
          onPlan={replace}
        />
      ))}
      {recipients !== null && <DataSharingSection api={giftsApi} />}
      {recipients !== null && (
        <button type="button" class="quiet" onClick={forget}>
          {t.forget}
        </button>
      )}
    </>
  );
}

/** An organisation whose first gift is still on its way has a plan and no gift yet. */
function withPlansAlone(recipients: readonly Recipient[], plans: readonly Plan[]): readonly Recipient[] {
  const found = new Map(recipients.map((recipient) => [recipient.id, recipient]));
  for (const { organizationId, organization } of plans) {
    if (!found.has(organizationId))
      found.set(organizationId, {
        id: organizationId,
        name: organization,
        takesAnonymousGifts: false,
        logo: null,
        years: [],
      });
  }
  return [...found.values()];
}
