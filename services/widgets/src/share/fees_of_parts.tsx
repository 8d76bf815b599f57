import { chosenCover, type Offer } from "../donate/fee_cover";
import { useSpeech } from "../donate/language";
import { useQuote } from "../donate/quoting";
import type { Organization } from "../site/api";
import type { SplitGiftsApi } from "../site/split_gifts";
import { checkParts, type SharedDraft } from "./draft";

/** What covers the fees of all parts, and by organisation of each. */
export interface SharedOffer extends Offer {
  readonly parts: ReadonlyMap<string, Offer>;
}

/** Asks whenever the parts have changed and can all be given. */
export function useSharedOffer(api: SplitGiftsApi, draft: SharedDraft, currency: string): SharedOffer | null {
  const checked = checkParts(draft, currency);
  const isWhole = !("faults" in checked);
  const about = isWhole
    ? checked.parts.map(({ organizationId, amount }) => `${organizationId} ${amount.minorUnits}`).join()
    : null;
  return useQuote<SharedOffer>(about, async () => {
    if (!isWhole) throw new TypeError("parts that cannot be given have no quote");
    const { covers, parts } = await api.quote(checked.total, checked.parts);
    const each = checked.parts.map(({ organizationId, amount }) => {
      const offer: Offer = { amount, covers: parts.get(organizationId) ?? [] };
      return [organizationId, offer] as const;
    });
    return { amount: checked.total, covers, parts: new Map(each) };
  });
}

interface FeesOfPartsProps {
  readonly offer: SharedOffer;
  readonly method: string | null;
  readonly known: ReadonlyMap<string, Organization>;
}

/** What of the cover goes to whom, for those who want to know. */
export function FeesOfParts({ offer, method, known }: FeesOfPartsProps) {
  const { t, money } = useSpeech();
  return (
    <details class="fees">
      <summary>{t.feesOfParts}</summary>
      <ul>
        {[...offer.parts].map(([id, part]) => {
          const cover = chosenCover(part, method);
          return cover === undefined ? null : (
            <li key={id}>
              {known.get(id)?.name ?? id}: {money(cover.amount)}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
