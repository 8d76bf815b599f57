import { useEffect, useMemo, useState } from "preact/hooks";

import { type DonationAddress, donationUrl, shareUrl } from "../address";
import { Languages, useLanguageAround, useTitle } from "../language/chooser";
import { browsersLanguage, inLanguage, type Language } from "../language/language";
import { asSaid } from "../language/speech";
import { parseAmount } from "../money";
import { donorsTimeZone, type Rhythm } from "../rhythm";
import { SharingPage } from "../share/sharing_page";
import { Api, type CreatedDonation, donationBody, type NewDonation, type Organization, planBody } from "../site/api";
import type { SiteConfig } from "../site/config";
import { PictureView } from "../site/pictures";
import { allowedReturn } from "../site/returning";
import { DetailsForm } from "./details_form";
import type { Draft } from "./draft";
import { NO_OPTIONS } from "./gift_options_draft";
import { Handling } from "./handling";
import { type Said, SpokenIn, speechIn, useSpeech } from "./language";
import { PaymentStep } from "./payment_step";
import { Progress } from "./progress";
import { Sender } from "./sending";
import { WayBack } from "./way_back";

interface DonatePageProps {
  readonly config: SiteConfig;
  readonly address: DonationAddress;
}

/** The page in the donor's language: that of the address, else the browser's. One that is chosen here stands in the address from then on. */
export function DonatePage({ config, address }: DonatePageProps) {
  const [asked, setAsked] = useState(address.language);
  const language = asked ?? browsersLanguage();
  const speech = useMemo(() => speechIn(language), [language]);
  const spoken = useMemo(() => ({ ...address, language: asked }), [address, asked]);
  useLanguageAround(language, speech.t.skip);
  const choose = (chosen: Language) => {
    history.replaceState(null, "", inLanguage(location.href, chosen));
    setAsked(chosen);
  };
  return (
    <SpokenIn value={speech}>
      <Gift config={config} address={spoken} />
      <Languages label={speech.t.language} chosen={language} onChoose={choose} />
      <Handling speech={speech} />
    </SpokenIn>
  );
}

/** In one of its states: choosing an organization, giving details, paying, following the gift. */
function Gift({ config, address }: DonatePageProps) {
  const api = useMemo(() => new Api(config.apiUrl), [config]);
  if (address.isShared || address.split !== null) return <SharingPage {...{ api, config, address }} />;
  return <OneOrganization {...{ api, config, address }} />;
}

function OneOrganization({ api, config, address }: DonatePageProps & { readonly api: Api }) {
  const speech = useSpeech();
  const { t, language } = speech;
  const { organization, choices, fault } = useOrganizations(api, address);
  useTitle(organization === null ? t.title : t.donateTo(organization.name));
  if (address.donation !== null) {
    return <Returned api={api} address={address} donationId={address.donation} organization={organization} />;
  }
  // Until it is known whose page this is nothing stands there that its banner would push down.
  if (organization === null && choices === null && fault === null) return <p role="status">{t.oneMoment}</p>;
  return (
    <>
      <PictureView of={organization?.banner ?? null} kind="banner" language={language} />
      <div class="named">
        <PictureView of={organization?.logo ?? null} kind="logo" language={language} />
        <h1>{organization === null ? t.title : t.donateTo(organization.name)}</h1>
      </div>
      {config.isTestMode && <p class="notice">{t.testMode}</p>}
      {fault !== null && (
        <p class="fault" role="alert">
          {fault(speech)}
        </p>
      )}
      {choices !== null && <Choices organizations={choices} language={address.language} />}
      {organization !== null && <Giving api={api} config={config} address={address} organization={organization} />}
    </>
  );
}

interface GivingProps extends DonatePageProps {
  readonly api: Api;
  readonly organization: Organization;
}

type Step =
  | { readonly at: "details"; readonly isReturning: boolean }
  | { readonly at: "payment"; readonly created: CreatedDonation }
  | { readonly at: "paid"; readonly donationId: string };

function Giving({ api, config, address, organization }: GivingProps) {
  const { t, typed } = useSpeech();
  const send = useSending(api);
  const amount = address.amount === null ? "" : typed(address.amount);
  const [draft, setDraft] = useState<Draft>({ rhythm: "once", amount, name: "", email: "" });
  const [options, setOptions] = useState(NO_OPTIONS);
  const [coversFeeOf, setCoversFeeOf] = useState<string | null>(null);
  const [step, setStep] = useState<Step>({ at: "details", isReturning: false });
  const again = linkTo(address, organization.id);
  const returnTo = useReturn(address, organization);

  if (step.at === "details") {
    const { isReturning } = step;
    const onCreated = (created: CreatedDonation) => setStep({ at: "payment", created });
    const form = { organization, currency: address.currency, draft, isReturning, onDraft: setDraft, onCreated };
    const more = { options, onOptions: setOptions, coversFeeOf, onCoversFeeOf: setCoversFeeOf };
    return (
      <>
        <DetailsForm
          {...{ api, ...form, ...more }}
          send={(donation, onChallenge) => send(donation, draft.rhythm, onChallenge)}
        />
        {returnTo === null ? (
          <p class="beside">
            <a href={shareLink(address, draft.amount)}>{t.share}</a>
          </p>
        ) : (
          <WayBack to={returnTo} standing="none" donationId={null} />
        )}
      </>
    );
  }
  if (step.at === "paid") {
    const gift = { donationId: step.donationId, organizationName: organization.name, rhythm: draft.rhythm };
    return <Progress api={api} {...gift} startAgainUrl={again} returnTo={returnTo} />;
  }
  const { created } = step;
  const { rhythm } = draft;
  const returnUrl = withDonation(again, created.donation.id, rhythm);
  const onPaid = () => {
    // Reloading the page from here on shows what became of the gift, not an empty form.
    history.replaceState(null, "", returnUrl);
    setStep({ at: "paid", donationId: created.donation.id });
  };
  const onBack = () => setStep({ at: "details", isReturning: true });
  return (
    <PaymentStep {...{ organization, created, rhythm, returnUrl, onPaid, onBack }} stripeJsUrl={config.stripeJsUrl} />
  );
}

interface ReturnedProps {
  readonly api: Api;
  readonly address: DonationAddress;
  readonly donationId: string;
  readonly organization: Organization | null;
}

function Returned({ api, address, donationId, organization }: ReturnedProps) {
  const { t } = useSpeech();
  const again =
    address.organization === null ? inLanguage("/donate/", address.language) : linkTo(address, address.organization);
  const returnTo = useReturn(address, organization);
  return (
    <>
      <h1>{t.yourDonation}</h1>
      {address.isRefused ? (
        <>
          <p role="alert">{t.notCompleted}</p>
          <a href={again}>{t.startAgain}</a>
          {returnTo !== null && <WayBack to={returnTo} standing="pending" donationId={donationId} />}
        </>
      ) : (
        <Progress
          api={api}
          donationId={donationId}
          organizationName={organization?.name ?? null}
          rhythm={address.rhythm}
          startAgainUrl={again}
          returnTo={returnTo}
        />
      )}
    </>
  );
}

function Choices({ organizations, language }: { organizations: readonly Organization[]; language: Language | null }) {
  const { t } = useSpeech();
  if (organizations.length === 0) return <p>{t.nobodyYet}</p>;
  return (
    <>
      <p>{t.chooseWhom}</p>
      <ul>
        {organizations.map(({ id, name }) => (
          <li key={id}>
            <a href={inLanguage(`/donate/?org=${id}`, language)}>{name}</a>
          </li>
        ))}
      </ul>
      {organizations.length > 1 && (
        <p>
          <a href={inLanguage("/donate/?share=1", language)}>{t.share}</a>
        </p>
      )}
    </>
  );
}

/** Null too until the organisation is known. */
function useReturn(address: DonationAddress, organization: Organization | null): URL | null {
  return useMemo(
    () => (organization === null ? null : allowedReturn(address.returnTo, organization)),
    [address, organization],
  );
}

/** With the amount as it stands in the form. */
function shareLink(address: DonationAddress, typed: string): string {
  const amount = parseAmount(typed, address.currency);
  return shareUrl(new URL("/", location.href), { ...address, amount: "fault" in amount ? null : amount });
}

function linkTo(address: DonationAddress, organization: string): string {
  return donationUrl(new URL("/", location.href), { ...address, organization });
}

function withDonation(url: string, donationId: string, rhythm: Rhythm): string {
  const address = new URL(url);
  address.searchParams.set("donation", donationId);
  if (rhythm !== "once") address.searchParams.set("every", rhythm);
  return address.href;
}

function useSending(api: Api) {
  const senders = useMemo(() => {
    const once = new Sender((posting) => api.createDonation(posting));
    return { once, plan: new Sender((posting) => api.createPlan(posting)) };
  }, [api]);
  return (donation: NewDonation, rhythm: Rhythm, onChallenge: () => void) =>
    rhythm === "once"
      ? senders.once.send(donationBody(donation), onChallenge)
      : senders.plan.send(planBody(donation, rhythm, donorsTimeZone()), onChallenge);
}

function useOrganizations(api: Api, address: DonationAddress) {
  const [organization, setOrganization] = useState<Organization | null>(null);
  const [choices, setChoices] = useState<readonly Organization[] | null>(null);
  const [fault, setFault] = useState<Said | null>(null);
  useEffect(() => {
    const found =
      address.organization === null
        ? api.organizations().then(setChoices)
        : api.organization(address.organization).then(setOrganization);
    found.catch((reason: unknown) => setFault(() => asSaid(reason)));
  }, [api, address.organization]);
  return { organization, choices, fault };
}
