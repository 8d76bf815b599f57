import { handleNextAction } from "../donate/stripe";
import type { SiteConfig } from "../site/config";
import type { PartOutcome, SplitGift, SplitGiftsApi, SplitPart } from "../site/split_gifts";

/** By donation: what the processor said when it was last asked. */
export type Outcomes = ReadonlyMap<string, PartOutcome>;

/**
 * Pays what is not paid, and once more where the donor's bank had to ask them first.
 *
 * Throws RequestFault. Whatever comes back, or nothing, it can be called again: nothing is paid twice.
 */
export async function payParts(api: SplitGiftsApi, config: SiteConfig, id: string): Promise<SplitGift> {
  const first = await api.pay(id);
  const asked = first.parts.filter(({ outcome }) => outcome === "needs_donor");
  for (const { clientSecret, stripeAccount } of asked) {
    // What the bank decided is read from the next answer.
    await handleNextAction(config.stripeJsUrl, { publishableKey: config.publishableKey, stripeAccount, clientSecret });
  }
  return asked.length === 0 ? first : await api.pay(id);
}

export function outcomesIn({ parts }: SplitGift): Outcomes {
  return new Map(parts.flatMap(({ donationId, outcome }) => (outcome === null ? [] : [[donationId, outcome]])));
}

/** `waiting`: paid, and its event has not come; `open`: nothing is known since this page was loaded. */
export type PartState = "arrived" | "on_its_way" | "waiting" | "unanswered" | "open" | "failed";

/** A donation's status follows the processor's event, moments after what the processor itself answered. */
export function stateOf({ donationId, status }: SplitPart, outcomes: Outcomes): PartState {
  if (status === "succeeded") return "arrived";
  if (status === "processing") return "on_its_way";
  const outcome = outcomes.get(donationId);
  if (outcome === "paid") return "waiting";
  if (outcome === "under_way") return "on_its_way";
  if (outcome === "unknown") return "unanswered";
  if (status === "failed" || status === "canceled" || outcome === "declined" || outcome === "needs_donor")
    return "failed";
  return "open";
}

export function isOver({ parts }: SplitGift, outcomes: Outcomes): boolean {
  return parts.every((part) => ["arrived", "failed"].includes(stateOf(part, outcomes)));
}
