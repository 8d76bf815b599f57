import type { ComponentChildren } from "preact";

import type { Money } from "../money";
import type { Api, FeeCover } from "../site/api";
import { acceptableAmount } from "./draft";
import { type Said, useSpeech } from "./language";
import { useQuote } from "./quoting";

/** What covers the fee of the amount that stands in the form; null while that is being asked. */
export interface Offer {
  readonly amount: Money;
  readonly covers: readonly FeeCover[];
}

/** Asks whenever the amount has changed and is one that can be given. */
export function useOffer(api: Api, organizationId: string, typed: string, currency: string): Offer | null {
  const amount = acceptableAmount(typed, currency);
  const about = "fault" in amount ? null : `${amount.minorUnits}`;
  return useQuote<Offer>(about, async () => {
    if ("fault" in amount) throw new TypeError("an amount that cannot be given has no quote");
    return { amount, covers: await api.feeCovers(organizationId, amount) };
  });
}

/** The cover for the way to pay that the donor chose; undefined when they chose none, or it is not offered. */
export function chosenCover(offer: Offer | null, method: string | null): FeeCover | undefined {
  return offer?.covers.find((cover) => cover.method === method);
}

interface FeeCoverChoiceProps {
  readonly offer: Offer | null;
  /** The way to pay whose fee the donor covers; null: nothing is added. */
  readonly method: string | null;
  readonly fault: Said | null;
  readonly onMethod: (method: string | null) => void;
  /** What else there is to see of it while it is ticked. */
  readonly children?: ComponentChildren;
}

/** A box that is never ticked beforehand, with what it adds and what is then paid in all. */
export function FeeCoverChoice({ offer, method, fault, onMethod, children }: FeeCoverChoiceProps) {
  const speech = useSpeech();
  const { t, money } = speech;
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
          checked={offer === null ? method !== null : cover !== undefined}
          aria-describedby={fault === null ? "fee-cover-hint" : "fee-cover-hint fee-cover-fault"}
          onChange={(event) => onMethod(event.currentTarget.checked ? (shown?.method ?? null) : null)}
        />
        {shown === undefined ? t.addTheFee : t.addFee(money(shown.amount))}
      </label>
      <p class="hint" id="fee-cover-hint">
        <Hint offer={offer} cover={cover} />
      </p>
      {offer !== null && cover !== undefined && offer.covers.length > 1 && (
        <Ways covers={offer.covers} method={cover.method} onMethod={onMethod} />
      )}
      {offer !== null && cover !== undefined && children}
      {fault && (
        <p class="fault" id="fee-cover-fault">
          {fault(speech)}
        </p>
      )}
    </div>
  );
}

function Hint({ offer, cover }: { offer: Offer | null; cover: FeeCover | undefined }) {
  const { t, money } = useSpeech();
  if (offer === null) return <>{t.lookingUpFee}</>;
  if (cover === undefined) return <>{t.feeKept(money(offer.amount))}</>;
  const total = { ...offer.amount, minorUnits: offer.amount.minorUnits + cover.amount.minorUnits };
  return <>{t.youPay(money(total))}</>;
}

interface WaysProps {
  readonly covers: readonly FeeCover[];
  readonly method: string;
  readonly onMethod: (method: string) => void;
}

function Ways({ covers, method, onMethod }: WaysProps) {
  const { t, money } = useSpeech();
  return (
    <fieldset class="ways">
      <legend>{t.howYouPay}</legend>
      {covers.map((cover) => (
        <label class="choice" key={cover.method}>
          <input
            type="radio"
            name="fee-cover-way"
            value={cover.method}
            checked={cover.method === method}
            onChange={() => onMethod(cover.method)}
          />
          {t.adds(t.ways[cover.method] ?? cover.method, money(cover.amount))}
        </label>
      ))}
    </fieldset>
  );
}
