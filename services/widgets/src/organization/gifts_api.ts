import type { Money } from "../money";
import { asList, asObject, asText, requestJson, sending } from "../site/http";

export const REFUND_REASONS = ["requested_by_customer", "duplicate", "fraudulent"] as const;
export type RefundReason = (typeof REFUND_REASONS)[number];

export type RefundStatus = "requested" | "pending" | "succeeded" | "failed" | "canceled";

export interface Refund {
  readonly id: string;
  readonly amount: Money;
  readonly status: RefundStatus;
  /** Of one that the processor never had: the problem's code; or empty. */
  readonly failureCode: string;
}

/** A gift that has arrived, as those see it who look after the organisation's money. */
export interface Gift {
  readonly id: string;
  readonly amount: Money;
  readonly standing: string;
  readonly isOnline: boolean;
  /** Empty where the donor is not told of. */
  readonly donor: string;
  readonly createdAt: Date;
  /** The oldest first, those that failed too. */
  readonly refunds: readonly Refund[];
}

/** `next`: where older ones begin; null where there are none. */
export interface GiftPage {
  readonly gifts: readonly Gift[];
  readonly next: string | null;
}

export interface RefundAsked {
  readonly amount: Money;
  readonly reason: RefundReason;
}

/** The gifts of one organisation, by the session of a member who may. Every method throws RequestFault. */
export class GiftsApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}/gifts`;
  }

  /** The newest first. `cursor`: where an earlier page ended. */
  arrived(cursor: string | null): Promise<GiftPage> {
    const asked = new URLSearchParams({
      status: "succeeded",
      expand: "refunds",
      ...(cursor === null ? {} : { cursor }),
    });
    return requestJson(`${this.#url}?${asked}`, pageFrom, { credentials: "include" });
  }

  gift(giftId: string): Promise<Gift> {
    return requestJson(`${this.#url}/${encodeURIComponent(giftId)}?expand=refunds`, giftFrom, {
      credentials: "include",
    });
  }

  /** With the same key again, it is the same refund. */
  refund(giftId: string, { amount, reason }: RefundAsked, key: string): Promise<Refund> {
    const body = { amount: { minor_units: String(amount.minorUnits), currency: amount.currency }, reason };
    const init = sending("POST", body, { "Idempotency-Key": key });
    return requestJson(`${this.#url}/${encodeURIComponent(giftId)}/refunds`, refundFrom, {
      credentials: "include",
      ...init,
    });
  }
}

/** What of a gift has not gone back and is not on its way there. */
export function leftOf({ amount, refunds }: Gift): Money {
  const taken = refunds.filter(({ status }) => status !== "failed" && status !== "canceled");
  return { ...amount, minorUnits: taken.reduce((left, refund) => left - refund.amount.minorUnits, amount.minorUnits) };
}

/** Whether a refund of it can be asked for, as far as the page can see. */
export function isRefundable(gift: Gift): boolean {
  const stands = gift.standing === "succeeded" || gift.standing === "partially_refunded";
  return (
    gift.isOnline &&
    stands &&
    !gift.refunds.some(({ status }) => status === "requested") &&
    leftOf(gift).minorUnits > 0n
  );
}

function pageFrom(parsed: unknown): GiftPage {
  const { data, next_cursor: next } = asObject(parsed);
  return { gifts: asList(data).map(giftFrom), next: next === null ? null : asText(next) };
}

function giftFrom(parsed: unknown): Gift {
  const found = asObject(parsed);
  const donor = found["donor"] === null ? {} : asObject(found["donor"]);
  return {
    id: asText(found["id"]),
    amount: moneyFrom(found["amount"]),
    standing: asText(found["standing"]),
    isOnline: found["channel"] === "online",
    donor: asText(donor["name"] ?? donor["email"] ?? ""),
    createdAt: new Date(asText(found["created_at"])),
    refunds: asList(found["refunds"]).map(refundFrom),
  };
}

function refundFrom(parsed: unknown): Refund {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    amount: moneyFrom(found["amount"]),
    status: asText(found["status"]) as RefundStatus,
    failureCode: asText(found["failure_code"] ?? ""),
  };
}

function moneyFrom(parsed: unknown): Money {
  const { minor_units, currency } = asObject(parsed);
  return { minorUnits: BigInt(asText(minor_units)), currency: asText(currency) };
}
