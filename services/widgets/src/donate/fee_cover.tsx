import { useEffect, useRef, useState } from "preact/hooks";

import { formatMoney, type Money } from "../money";
import type { Api, FeeCover } from "../site/api";
import { acceptableAmount } from "./draft";

/** Long enough that somebody who types is not asked about each digit. */
const PAUSE_MILLISECONDS = 400;

const WAYS: Readonly<Record<string, string>> = {
  card: "Card",
  sepa_debit: "SEPA direct debit",
  us_bank_account: "US bank account",
};

/** What covers the fee of the amount that stands in the form; null while that is being asked. */
export interface Offer {
  readonly amount: Money;
  readonly covers: readonly FeeCover[];
}

/** Asks whenever the amount has changed and is one that can be given. What cannot be asked is not offered: a gift needs no cover. */
export function useOffer(api: Api, organizationId: string, typed: string, currency: string): Offer | null {
  const [found, setFound] = useState<Offer | null>(null);
  const hasAsked = useRef(false);
  const amount = acceptableAmount(typed, currency);
  useEffect(() => {
    if ("fault" in amount) return;
    let isGone = false;
    const ask = () =>
      api.feeCovers(organizationId, amount).then(
        (covers) => {
          if (!isGone) setFound({ amount, covers });
        },
        () => undefined,
      );
    const later = setTimeout(ask, hasAsked.current ? PAUSE_MILLISECONDS : 0);
    hasAsked.current = true;
    return () => {
      isGone = true;
      clearTimeout(later);
    };
  }, [typed, currency]);
  const isCurrent = found !== null && "minorUnits" in amount && amount.minorUnits === found.amount.minorUnits;
  return isCurrent ? found : null;
}

/** The cover for the way to pay that the donor chose; undefined when they chose none, or it is not offered. */
export function chosenCover(offer: Offer | null, method: string | null): FeeCover | undefined {
  return offer?.covers.find((cover) => cover.method === method);
}

interface FeeCoverChoiceProps {
  readonly offer: Offer | null;
  /** The way to pay whose fee the donor covers; null: nothing is added. */
  readonly method: string | null;
  readonly fault: string | undefined;
  readonly onMethod: (method: string | null) => void;
}

/** A box that is never ticked beforehand, with what it adds and what is then paid in all. */
export function FeeCoverChoice({ offer, method, fault, onMethod }: FeeCoverChoiceProps) {
  const cover = chosenCover(offer, method);
  const shown = cover ?? offer?.covers[0];
  // What is ticked can always be unticked, also while it is not known what it would add.
  if (shown === undefined && (offer !== null || method === null)) return null;
  return (
    <div class="field">
      <label class="choice">
        <input
          type="checkbox"
          name="fee-cover"
          checked={method !== null}
          aria-describedby={fault === undefined ? "fee-cover-hint" : "fee-cover-hint fee-cover-fault"}
          onChange={(event) => onMethod(event.currentTarget.checked ? (shown?.method ?? null) : null)}
        />
        {shown === undefined ? "Add the payment fee" : `Add ${formatMoney(shown.amount)} for the payment fee`}
      </label>
      <p class="hint" id="fee-cover-hint">
        {hintFor(offer, cover)}
      </p>
      {offer !== null && cover !== undefined && offer.covers.length > 1 && (
        <Ways covers={offer.covers} method={cover.method} onMethod={onMethod} />
      )}
      {fault && (
        <p class="fault" id="fee-cover-fault">
          {fault}
        </p>
      )}
    </div>
  );
}

function hintFor(offer: Offer | null, cover: FeeCover | undefined): string {
  if (offer === null) return "Looking up the fee for this amount…";
  if (cover === undefined) return `The payment company keeps about that much of your ${formatMoney(offer.amount)}.`;
  const total = { ...offer.amount, minorUnits: offer.amount.minorUnits + cover.amount.minorUnits };
  return `You pay ${formatMoney(total)}. The true fee may differ a little; whatever is left goes to the organisation.`;
}

interface WaysProps {
  readonly covers: readonly FeeCover[];
  readonly method: string;
  readonly onMethod: (method: string) => void;
}

function Ways({ covers, method, onMethod }: WaysProps) {
  return (
    <fieldset class="ways">
      <legend>How you will pay</legend>
      {covers.map((cover) => (
        <label class="choice" key={cover.method}>
          <input
            type="radio"
            name="fee-cover-way"
            value={cover.method}
            checked={cover.method === method}
            onChange={() => onMethod(cover.method)}
          />
          {WAYS[cover.method] ?? cover.method}: adds {formatMoney(cover.amount)}
        </label>
      ))}
    </fieldset>
  );
}
