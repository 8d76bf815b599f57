import { useEffect, useMemo, useState } from "preact/hooks";

import { type DonationAddress, donationUrl, shareUrl } from "../address";
import { decimalText, parseAmount } from "../money";
import { donorsTimeZone, type Rhythm } from "../rhythm";
import { SharingPage } from "../share/sharing_page";
import { Api, type CreatedDonation, donationBody, type NewDonation, type Organization, planBody } from "../site/api";
import type { SiteConfig } from "../site/config";
import { sentenceOf } from "../site/http";
import { allowedReturn } from "../site/returning";
import { DetailsForm } from "./details_form";
import type { Draft } from "./draft";
import { NO_OPTIONS } from "./gift_options_draft";
import { PaymentStep } from "./payment_step";
import { Progress } from "./progress";
import { Sender } from "./sending";
import { WayBack } from "./way_back";

interface DonatePageProps {
  readonly config: SiteConfig;
  readonly address: DonationAddress;
}

/** The page in one of its states: choosing an organization, giving details, paying, following the gift. */
export function DonatePage({ config, address }: DonatePageProps) {
  const api = useMemo(() => new Api(config.apiUrl), [config]);
  if (address.isShared || address.split !== null) return <SharingPage {...{ api, config, address }} />;
  return <OneOrganization {...{ api, config, address }} />;
}

function OneOrganization({ api, config, address }: DonatePageProps & { readonly api: Api }) {
  const { organization, choices, fault } = useOrganizations(api, address);
  if (address.donation !== null) {
    return <Returned api={api} address={address} donationId={address.donation} organization={organization} />;
  }
  return (
    <>
      <h1>{organization === null ? "Donate" : `Donate to ${organization.name}`}</h1>
      {config.isTestMode && <p class="notice">Test mode: no real money moves.</p>}
      {fault !== "" && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {choices !== null && <Choices organizations={choices} />}
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
  const send = useSending(api);
  const amount = address.amount === null ? "" : decimalText(address.amount);
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
        <DetailsForm {...{ api, ...form, ...more }} send={(donation, onChallenge) => send(donation, draft.rhythm, onChallenge)} />
        {returnTo === null ? (
          <p class="beside">
            <a href={shareLink(address, draft.amount)}>Share a gift between several organisations</a>
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
  return <PaymentStep {...{ organization, created, rhythm, returnUrl, onPaid, onBack }} stripeJsUrl={config.stripeJsUrl} />;
}

interface ReturnedProps {
  readonly api: Api;
  readonly address: DonationAddress;
  readonly donationId: string;
  readonly organization: Organization | null;
}

function Returned({ api, address, donationId, organization }: ReturnedProps) {
  const again = address.organization === null ? "/donate/" : linkTo(address, address.organization);
  const returnTo = useReturn(address, organization);
  return (
    <>
      <h1>Your donation</h1>
      {address.isRefused ? (
        <>
          <p role="alert">The payment was not completed, and no money was taken.</p>
          <a href={again}>Start again</a>
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

function Choices({ organizations }: { organizations: readonly Organization[] }) {
  if (organizations.length === 0) return <p>No organisation takes donations here yet.</p>;
  return (
    <>
      <p>Choose whom to give to:</p>
      <ul>
        {organizations.map(({ id, name }) => (
          <li key={id}>
            <a href={`/donate/?org=${id}`}>{name}</a>
          </li>
        ))}
      </ul>
      {organizations.length > 1 && (
        <p>
          Or <a href="/donate/?share=1">share a gift between several of them</a>.
        </p>
      )}
    </>
  );
}

/** Null too until the organisation is known. */
function useReturn(address: DonationAddress, organization: Organization | null): URL | null {
  return useMemo(() => (organization === null ? null : allowedReturn(address.returnTo, organization)), [address, organization]);
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
  const [fault, setFault] = useState("");
  useEffect(() => {
    const found =
      address.organization === null
        ? api.organizations().then(setChoices)
        : api.organization(address.organization).then(setOrganization);
    found.catch((reason: unknown) => setFault(sentenceOf(reason)));
  }, []);
  useEffect(() => {
    if (organization !== null) document.title = `Donate to ${organization.name} · Amply`;
  }, [organization]);
  return { organization, choices, fault };
}
