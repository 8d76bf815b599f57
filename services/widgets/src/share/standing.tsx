import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { watch } from "../donate/following";
import { formatMoney } from "../money";
import type { Organization } from "../site/api";
import type { SiteConfig } from "../site/config";
import { sentenceOf } from "../site/http";
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
  const { known, startAgainUrl, onOtherCard } = props;
  const { gift, outcomes, isBusy, fault, setFault, payAgain } = useSharedGift(props);
  const states = gift?.parts.map((part) => stateOf(part, outcomes)) ?? [];
  const failed = gift?.parts.filter((_, at) => states[at] === "failed") ?? [];
  const canPay = !isBusy && (failed.length > 0 || fault !== "" || states.includes("open"));
  return (
    <section>
      <StepHeading>{headingFor(states)}</StepHeading>
      <div role="status">
        {gift === null && fault === "" && <p>One moment…</p>}
        {gift !== null && <PartList gift={gift} states={states} known={known} />}
        {failed.length > 0 && <WhatFailed gift={gift!} states={states} />}
        {states.length > 0 && failed.length === 0 && <p class="hint">{REMARKS[isWhole(states) ? "whole" : "waiting"]}</p>}
      </div>
      <p class="fault" role="alert">
        {fault}
      </p>
      {canPay && (
        <Again
          label={failed.length > 0 ? "Try again with the same card" : "Pay what is open"}
          onPay={payAgain}
          onOtherCard={failed.length > 0 ? () => onOtherCard().catch((reason: unknown) => setFault(sentenceOf(reason))) : null}
        />
      )}
      {failed.length > 0 && (
        <p>
          <a href={startAgainUrl}>Begin a new gift</a>
        </p>
      )}
    </section>
  );
}

const REMARKS = {
  whole: "A receipt for each part, with its proof, comes by e-mail.",
  waiting: "You can close the page. Nothing is ever taken twice, and a receipt for each part comes by e-mail once it has arrived.",
} as const;

function headingFor(states: readonly PartState[]): string {
  if (states.length === 0 || states.some((state) => state !== "arrived" && state !== "failed")) return "Confirming your gift…";
  if (isWhole(states)) return "Thank you!";
  return states.includes("arrived") ? "Given in part" : "Not paid";
}

function isWhole(states: readonly PartState[]): boolean {
  return states.every((state) => state === "arrived");
}

const WORDS: Readonly<Record<PartState, string>> = {
  arrived: "went through",
  waiting: "waiting for the payment's confirmation…",
  on_its_way: "on its way; a debit from a bank account takes days",
  open: "not confirmed yet",
  unanswered: "no answer yet; we ask again by ourselves",
  failed: "not paid, and nothing was taken",
};
const SHOWN: Readonly<Record<PartState, string>> = { arrived: "done", waiting: "now", on_its_way: "now", unanswered: "now", open: "now", failed: "failed" };

interface PartListProps {
  readonly gift: SplitGift;
  readonly states: readonly PartState[];
  readonly known: ReadonlyMap<string, Organization>;
}

function PartList({ gift, states, known }: PartListProps) {
  return (
    <ol class="steps">
      {gift.parts.map((part, at) => (
        <li key={part.donationId} data-state={SHOWN[states[at]!]}>
          {formatMoney(part.amount)} to {known.get(part.organizationId)?.name ?? part.organizationId}: {WORDS[states[at]!]}.{" "}
          {states[at] === "arrived" && <a href={`/donate/?org=${part.organizationId}&donation=${part.donationId}`}>Its entry</a>}
        </li>
      ))}
    </ol>
  );
}

function WhatFailed({ gift, states }: Pick<PartListProps, "gift" | "states">) {
  const { currency } = gift.parts[0]!.amount;
  const amount = (parts: readonly SplitPart[]) => formatMoney(sumOf(parts.map((part) => part.amount), currency));
  const given = gift.parts.filter((_, at) => states[at] !== "failed");
  const failed = gift.parts.filter((_, at) => states[at] === "failed");
  return (
    <p class="notice">
      {given.length > 0 && <>{amount(given)} of your gift stays given; it is not undone by what failed. </>}
      The bank did not accept {given.length > 0 ? `the other ${amount(failed)}` : "the payment"}, and nothing was taken for{" "}
      {failed.length === 1 ? "it" : "them"}. For a day you can try again, or enter another card: only what failed is then paid.
      {given.length > 0 && " Or leave it at that: there is nothing else you have to do."}
    </p>
  );
}

interface AgainProps {
  readonly label: ComponentChildren;
  readonly onPay: () => void;
  readonly onOtherCard: (() => void) | null;
}

function Again({ label, onPay, onOtherCard }: AgainProps) {
  return (
    <p class="actions">
      {onOtherCard !== null && (
        <button type="button" class="primary" onClick={onOtherCard}>
          Enter another card
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
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(true);
  const [round, setRound] = useState({ number: 0, pays: isSetUp });
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
      for await (const seen of watch(() => api.show(splitId), (seen) => isOver(seen, told), leaving.signal)) setGift(seen);
    };
    work().catch((reason: unknown) => {
      setBusy(false);
      setFault(sentenceOf(reason));
    });
    return () => leaving.abort();
  }, [round]);
  const payAgain = () => {
    setFault("");
    setBusy(true);
    setRound({ number: round.number + 1, pays: true });
  };
  return { gift, outcomes, isBusy, fault, setFault, payAgain };
}
