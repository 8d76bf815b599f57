import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { watch } from "../donate/following";
import { type Said, type Speech, useSpeech } from "../donate/language";
import { inLanguage, type Language } from "../language/language";
import { asSaid } from "../language/speech";
import type { Organization } from "../site/api";
import type { SiteConfig } from "../site/config";
import type { SplitGift, SplitGiftsApi, SplitPart } from "../site/split_gifts";
import { StepHeading } from "../site/step_heading";
import { sumOf } from "./draft";
import { isOver, type Outcomes, outcomesIn, type PartState, payParts, stateOf } from "./paying";

interface StandingProps {
  readonly api: SplitGiftsApi;
  readonly config: SiteConfig;
  readonly known: ReadonlyMap<string, Organization>;
  readonly splitId: string;
  /** A card or account has just been entered: the parts are paid first. */
  readonly isSetUp: boolean;
  readonly startAgainUrl: string;
  readonly onOtherCard: () => Promise<void>;
}

/** How each part stands; and where some failed, what was taken, what was not, and what can be done. */
export function SharedStanding(props: StandingProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { known, startAgainUrl, onOtherCard } = props;
  const { gift, outcomes, isBusy, fault, setFault, payAgain } = useSharedGift(props);
  const states = gift?.parts.map((part) => stateOf(part, outcomes)) ?? [];
  const failed = gift?.parts.filter((_, at) => states[at] === "failed") ?? [];
  const canPay = !isBusy && (failed.length > 0 || fault !== null || states.includes("open"));
  return (
    <section>
      <StepHeading>{headingFor(states, speech)}</StepHeading>
      <div role="status">
        {gift === null && fault === null && <p>{t.oneMoment}</p>}
        {gift !== null && <PartList gift={gift} states={states} known={known} />}
        {failed.length > 0 && <WhatFailed gift={gift!} states={states} />}
        {states.length > 0 && failed.length === 0 && (
          <p class="hint">{isWhole(states) ? t.receiptForEach : t.partsUnderWay}</p>
        )}
      </div>
      <p class="fault" role="alert">
        {fault?.(speech)}
      </p>
      {canPay && (
        <Again
          label={failed.length > 0 ? t.sameCard : t.payOpen}
          onPay={payAgain}
          onOtherCard={
            failed.length > 0 ? () => onOtherCard().catch((reason: unknown) => setFault(() => asSaid(reason))) : null
          }
        />
      )}
      {failed.length > 0 && (
        <p>
          <a href={startAgainUrl}>{t.newGift}</a>
        </p>
      )}
    </section>
  );
}

function headingFor(states: readonly PartState[], { t }: Speech): string {
  if (states.length === 0 || states.some((state) => state !== "arrived" && state !== "failed")) return t.confirmingGift;
  if (isWhole(states)) return t.thankYou;
  return states.includes("arrived") ? t.givenInPart : t.notPaid;
}

function isWhole(states: readonly PartState[]): boolean {
  return states.every((state) => state === "arrived");
}

const SHOWN: Readonly<Record<PartState, string>> = {
  arrived: "done",
  waiting: "now",
  on_its_way: "now",
  unanswered: "now",
  open: "now",
  failed: "failed",
};

interface PartListProps {
  readonly gift: SplitGift;
  readonly states: readonly PartState[];
  readonly known: ReadonlyMap<string, Organization>;
}

function PartList({ gift, states, known }: PartListProps) {
  const { t, money, language } = useSpeech();
  return (
    <ol class="steps">
      {gift.parts.map((part, at) => (
        <li key={part.donationId} data-state={SHOWN[states[at]!]}>
          {t.partStands(
            t.giftTo(money(part.amount), known.get(part.organizationId)?.name ?? part.organizationId),
            t.part[states[at]!],
          )}{" "}
          {states[at] === "arrived" && <a href={entryOf(part, language)}>{t.itsEntry}</a>}
        </li>
      ))}
    </ol>
  );
}

function entryOf({ organizationId, donationId }: SplitPart, language: Language): string {
  return inLanguage(`/donate/?org=${organizationId}&donation=${donationId}`, language);
}

function WhatFailed({ gift, states }: Pick<PartListProps, "gift" | "states">) {
  const { t, money } = useSpeech();
  const { currency } = gift.parts[0]!.amount;
  const amount = (parts: readonly SplitPart[]) =>
    money(
      sumOf(
        parts.map((part) => part.amount),
        currency,
      ),
    );
  const given = gift.parts.filter((_, at) => states[at] !== "failed");
  const failed = gift.parts.filter((_, at) => states[at] === "failed");
  const stays = given.length > 0 ? amount(given) : null;
  return <p class="notice">{t.whatFailed({ stays, failed: amount(failed), isOne: failed.length === 1 })}</p>;
}

interface AgainProps {
  readonly label: ComponentChildren;
  readonly onPay: () => void;
  readonly onOtherCard: (() => void) | null;
}

function Again({ label, onPay, onOtherCard }: AgainProps) {
  const { t } = useSpeech();
  return (
    <p class="actions">
      {onOtherCard !== null && (
        <button type="button" class="primary" onClick={onOtherCard}>
          {t.otherCard}
        </button>
      )}
      <button type="button" class="outlined" onClick={onPay}>
        {label}
      </button>
    </p>
  );
}

function useSharedGift({ api, config, splitId, isSetUp }: StandingProps) {
  const [gift, setGift] = useState<SplitGift | null>(null);
  const [outcomes, setOutcomes] = useState<Outcomes>(new Map());
  const [fault, setFault] = useState<Said | null>(null);
  const [isBusy, setBusy] = useState(true);
  const [round, setRound] = useState({ number: 0, pays: isSetUp });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a round is one payment and what becomes of it
  useEffect(() => {
    const leaving = new AbortController();
    const work = async () => {
      let told = outcomes;
      if (round.pays) {
        const paid = await payParts(api, config, splitId);
        told = outcomesIn(paid);
        setOutcomes(told);
        setGift(paid);
      }
      setBusy(false);
      for await (const seen of watch(
        () => api.show(splitId),
        (seen) => isOver(seen, told),
        leaving.signal,
      ))
        setGift(seen);
    };
    work().catch((reason: unknown) => {
      setBusy(false);
      setFault(() => asSaid(reason));
    });
    return () => leaving.abort();
  }, [round]);
  const payAgain = () => {
    setFault(null);
    setBusy(true);
    setRound({ number: round.number + 1, pays: true });
  };
  return { gift, outcomes, isBusy, fault, setFault, payAgain };
}
