import { useMemo, useState } from "preact/hooks";

import { type DonationAddress, shareUrl } from "../address";
import { NO_OPTIONS } from "../donate/gift_options_draft";
import { type Said, useSpeech } from "../donate/language";
import { Sender } from "../donate/sending";
import { useTitle } from "../language/chooser";
import { asSaid } from "../language/speech";
import type { Money } from "../money";
import type { Api, Organization, PaymentHandle } from "../site/api";
import type { SiteConfig } from "../site/config";
import { type SplitGift, SplitGiftsApi, splitBody } from "../site/split_gifts";
import { useOnMount } from "../site/use_on_mount";
import { ShareForm } from "./details_form";
import { FEWEST_PARTS, MOST_PARTS, type SharedDraft, sumOf } from "./draft";
import { SetupStep } from "./setup_step";
import { SharedStanding } from "./standing";

interface SharingPageProps {
  readonly api: Api;
  readonly config: SiteConfig;
  readonly address: DonationAddress;
}

/** One gift to several organisations with one card: who gets how much, the card, what became of each part. */
export function SharingPage({ api, config, address }: SharingPageProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { known, fault } = useKnown(api, address.organizations);
  useTitle(t.title);
  const isReturning = address.split !== null;
  return (
    <>
      <h1>{isReturning ? t.yourGift : t.sharedTitle}</h1>
      {config.isTestMode && <p class="notice">{t.testMode}</p>}
      {fault !== null && (
        <p class="fault" role="alert">
          {fault(speech)}
        </p>
      )}
      {known === null && fault === null && <p role="status">{t.organizationsLoading}</p>}
      {known !== null && known.size < FEWEST_PARTS && !isReturning && <p>{t.onlyOne}</p>}
      {known !== null && (known.size >= FEWEST_PARTS || isReturning) && (
        <Sharing {...{ api, config, address, known }} />
      )}
    </>
  );
}

interface SharingProps extends SharingPageProps {
  readonly known: ReadonlyMap<string, Organization>;
}

type Step =
  | { readonly at: "details" }
  | {
      readonly at: "setup";
      readonly splitId: string;
      readonly setup: PaymentHandle;
      readonly amount: Money | null;
      readonly feeCover: Money | null;
    }
  | { readonly at: "standing"; readonly splitId: string; readonly isSetUp: boolean };

function Sharing({ api, config, address, known }: SharingProps) {
  const { typed } = useSpeech();
  const splits = useMemo(() => new SplitGiftsApi(config.apiUrl), [config]);
  const sender = useMemo(() => new Sender((posting) => splits.create(posting)), [splits]);
  const { currency, language } = address;
  const [draft, setDraft] = useState<SharedDraft>(() => firstDraft(address, known, typed));
  const [options, setOptions] = useState(NO_OPTIONS);
  const [step, setStep] = useState<Step>(() =>
    address.split === null ? { at: "details" } : { at: "standing", splitId: address.split, isSetUp: address.isSetUp },
  );
  const site = new URL("/", location.href);
  const again = shareUrl(site, { organizations: draft.organizations, currency, amount: address.amount, language });
  if (step.at === "details") {
    return (
      <ShareForm
        {...{ api, splits, known, currency, draft, options }}
        onDraft={setDraft}
        onOptions={setOptions}
        send={(split, onChallenge) => sender.send(splitBody(split), onChallenge)}
        onCreated={({ gift, setup }) => setStep({ at: "setup", splitId: gift.id, setup, ...sumsOf(gift, currency) })}
      />
    );
  }
  const { splitId } = step;
  const returnUrl = withSplit(again, splitId);
  if (step.at === "setup") {
    const onEntered = () => {
      // Reloading the page from here on shows what became of the gift, not an empty form.
      history.replaceState(null, "", returnUrl);
      setStep({ at: "standing", splitId, isSetUp: true });
    };
    const onBack = () =>
      setStep(step.amount === null ? { at: "standing", splitId, isSetUp: false } : { at: "details" });
    return <SetupStep {...step} {...{ returnUrl, onEntered, onBack }} stripeJsUrl={config.stripeJsUrl} />;
  }
  const onOtherCard = async () =>
    setStep({ at: "setup", splitId, setup: await splits.newSetup(splitId), amount: null, feeCover: null });
  const { isSetUp } = step;
  return <SharedStanding {...{ config, known, splitId, isSetUp, onOtherCard }} api={splits} startAgainUrl={again} />;
}

/** Nobody is chosen for the donor: only who was asked for stands there. */
function firstDraft(
  { organizations, amount }: DonationAddress,
  known: ReadonlyMap<string, Organization>,
  typed: (amount: Money) => string,
): SharedDraft {
  const asked = organizations.filter((id) => known.has(id)).slice(0, MOST_PARTS);
  const total = amount === null ? "" : typed(amount);
  return { organizations: asked, total, parts: null, funds: {}, coversFeeOf: null, name: "", email: "" };
}

/** What is paid in all, and what of it covers fees. */
function sumsOf({ parts }: SplitGift, currency: string): { readonly amount: Money; readonly feeCover: Money | null } {
  const feeCover = sumOf(
    parts.map((part) => part.feeCover),
    currency,
  );
  return {
    amount: sumOf(
      parts.map((part) => part.amount),
      currency,
    ),
    feeCover: feeCover.minorUnits === 0n ? null : feeCover,
  };
}

function withSplit(url: string, splitId: string): string {
  const address = new URL(url);
  address.searchParams.set("split", splitId);
  return address.href;
}

/** The organisations of the list, and those that the address names beside them. */
function useKnown(api: Api, named: readonly string[]) {
  const [known, setKnown] = useState<ReadonlyMap<string, Organization> | null>(null);
  const [fault, setFault] = useState<Said | null>(null);
  useOnMount(() => {
    const look = async () => {
      const listed = await api.organizations();
      const missing = named.slice(0, MOST_PARTS).filter((id) => !listed.some((organization) => organization.id === id));
      const found = await Promise.all(missing.map((id) => api.organization(id)));
      setKnown(new Map([...listed, ...found].map((organization) => [organization.id, organization])));
    };
    look().catch((reason: unknown) => setFault(() => asSaid(reason)));
  });
  return { known, fault };
}
