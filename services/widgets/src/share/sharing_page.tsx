import { useEffect, useMemo, useState } from "preact/hooks";

import { type DonationAddress, shareUrl } from "../address";
import { NO_OPTIONS } from "../donate/gift_options_draft";
import { Sender } from "../donate/sending";
import { decimalText, type Money } from "../money";
import type { Api, Organization, PaymentHandle } from "../site/api";
import type { SiteConfig } from "../site/config";
import { sentenceOf } from "../site/http";
import { splitBody, SplitGiftsApi } from "../site/split_gifts";
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
  const { known, fault } = useKnown(api, address.organizations);
  const isReturning = address.split !== null;
  return (
    <>
      <h1>{isReturning ? "Your gift" : "One gift to several organisations"}</h1>
      {config.isTestMode && <p class="notice">Test mode: no real money moves.</p>}
      {fault !== "" && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {known === null && fault === "" && <p role="status">Loading the organisations…</p>}
      {known !== null && known.size < FEWEST_PARTS && !isReturning && (
        <p>Only one organisation takes gifts here, so there is nobody to share a gift between.</p>
      )}
      {known !== null && (known.size >= FEWEST_PARTS || isReturning) && <Sharing {...{ config, address, known }} />}
    </>
  );
}

interface SharingProps extends Omit<SharingPageProps, "api"> {
  readonly known: ReadonlyMap<string, Organization>;
}

type Step =
  | { readonly at: "details" }
  | { readonly at: "setup"; readonly splitId: string; readonly setup: PaymentHandle; readonly amount: Money | null }
  | { readonly at: "standing"; readonly splitId: string; readonly isSetUp: boolean };

function Sharing({ config, address, known }: SharingProps) {
  const api = useMemo(() => new SplitGiftsApi(config.apiUrl), [config]);
  const sender = useMemo(() => new Sender((posting) => api.create(posting)), [api]);
  const { currency } = address;
  const [draft, setDraft] = useState<SharedDraft>(() => firstDraft(address, known));
  const [options, setOptions] = useState(NO_OPTIONS);
  const [step, setStep] = useState<Step>(() =>
    address.split === null ? { at: "details" } : { at: "standing", splitId: address.split, isSetUp: address.isSetUp },
  );
  const site = new URL("/", location.href);
  const again = shareUrl(site, { organizations: draft.organizations, currency, amount: address.amount });
  if (step.at === "details") {
    return (
      <ShareForm
        {...{ known, currency, draft, options }}
        onDraft={setDraft}
        onOptions={setOptions}
        send={(split, onChallenge) => sender.send(splitBody(split), onChallenge)}
        onCreated={({ gift, setup }) =>
          setStep({ at: "setup", splitId: gift.id, setup, amount: sumOf(gift.parts.map((part) => part.amount), currency) })
        }
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
    const onBack = () => setStep(step.amount === null ? { at: "standing", splitId, isSetUp: false } : { at: "details" });
    return <SetupStep {...step} {...{ returnUrl, onEntered, onBack }} stripeJsUrl={config.stripeJsUrl} />;
  }
  const onOtherCard = async () => setStep({ at: "setup", splitId, setup: await api.newSetup(splitId), amount: null });
  const { isSetUp } = step;
  return <SharedStanding {...{ api, config, known, splitId, isSetUp, onOtherCard }} startAgainUrl={again} />;
}

/** Nobody is chosen for the donor: only who was asked for stands there. */
function firstDraft({ organizations, amount }: DonationAddress, known: ReadonlyMap<string, Organization>): SharedDraft {
  const asked = organizations.filter((id) => known.has(id)).slice(0, MOST_PARTS);
  return { organizations: asked, total: amount === null ? "" : decimalText(amount), parts: null, name: "", email: "" };
}

function withSplit(url: string, splitId: string): string {
  const address = new URL(url);
  address.searchParams.set("split", splitId);
  return address.href;
}

/** The organisations of the list, and those that the address names beside them. */
function useKnown(api: Api, named: readonly string[]) {
  const [known, setKnown] = useState<ReadonlyMap<string, Organization> | null>(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    const look = async () => {
      const listed = await api.organizations();
      const missing = named.slice(0, MOST_PARTS).filter((id) => !listed.some((organization) => organization.id === id));
      const found = await Promise.all(missing.map((id) => api.organization(id)));
      setKnown(new Map([...listed, ...found].map((organization) => [organization.id, organization])));
    };
    look().catch((reason: unknown) => setFault(sentenceOf(reason)));
  }, []);
  return { known, fault };
}
