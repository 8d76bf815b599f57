import { challenged, solutionHeader } from "../challenge/challenged";
import type { Money } from "../money";
import {
  amountBody,
  coversIn,
  type DonationStatus,
  donorBody,
  type FeeCover,
  feeCoverBody,
  type GiftOptions,
  type Giver,
  moneyFrom,
  optionsBody,
  type PaymentHandle,
  type Posting,
  postingInit,
  statusFrom,
} from "./api";
import { asList, asObject, asText, requestJson } from "./http";

const OUTCOMES = ["paid", "under_way", "declined", "unknown", "needs_donor"] as const;
/** What the processor said of a part when it was last asked to pay it. */
export type PartOutcome = (typeof OUTCOMES)[number];

/** One organisation's part: a donation of its own. */
export interface SplitPart {
  readonly donationId: string;
  readonly organizationId: string;
  /** What the donor pays for it in all, and what of it they added for the fee. */
  readonly amount: Money;
  readonly feeCover: Money;
  readonly status: DonationStatus;
  /** Null where nobody asked in this answer. */
  readonly outcome: PartOutcome | null;
  /** For `needs_donor`: what the donor's bank is asked with; empty otherwise. */
  readonly clientSecret: string;
  readonly stripeAccount: string;
}

export interface SplitGift {
  readonly id: string;
  readonly parts: readonly SplitPart[];
}

export interface CreatedSplit {
  readonly gift: SplitGift;
  /** Where the donor enters one card or account for all parts. */
  readonly setup: PaymentHandle;
}

export interface DividedPart {
  readonly organizationId: string;
  readonly amount: Money;
}

export interface NewPart extends DividedPart {
  /** What it is for there; null: wherever it is needed most. */
  readonly fundId: string | null;
  /** What the donor ticked to add to it; absent, nothing is added. */
  readonly feeCover: FeeCover | undefined;
}

export interface NewSplit extends Giver {
  readonly total: Money;
  readonly parts: readonly NewPart[];
  readonly options: GiftOptions;
}

/** What covers the fees of all parts together, and by organisation of each. */
export interface SplitCovers {
  readonly covers: readonly FeeCover[];
  readonly parts: ReadonlyMap<string, readonly FeeCover[]>;
}

/** Gifts to several organisations. Every method throws RequestFault. */
export class SplitGiftsApi {
  readonly #url: string;

  constructor(apiUrl: string) {
    this.#url = `${apiUrl}/v1/split-gifts`;
  }

  quote(total: Money, parts: readonly DividedPart[]): Promise<SplitCovers> {
    const body = JSON.stringify({ total: amountBody(total), parts: parts.map(dividedBody) });
    return requestJson(`${this.#url}/quote`, splitCoversFrom, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
  }

  create(posting: Posting): Promise<CreatedSplit> {
    return requestJson(
      this.#url,
      (parsed) => ({ gift: giftFrom(parsed), setup: setupFrom(asObject(parsed)["setup"]) }),
      postingInit(posting),
    );
  }

  /** Pays what is not paid, with what the donor entered. Safe to repeat: nothing is paid twice. */
  pay(id: string): Promise<SplitGift> {
    return requestJson(`${this.#of(id)}/payments`, giftFrom, { method: "POST" });
  }

  /** To enter another card or account for the parts that failed. */
  newSetup(id: string): Promise<PaymentHandle> {
    const ask = (solution: string | undefined) =>
      requestJson(`${this.#of(id)}/setups`, setupFrom, { method: "POST", headers: solutionHeader(solution) });
    return challenged(ask);
  }

  show(id: string): Promise<SplitGift> {
    return requestJson(this.#of(id), giftFrom);
  }

  #of(id: string): string {
    return `${this.#url}/${encodeURIComponent(id)}`;
  }
}

export function splitBody(split: NewSplit): string {
  const { total, parts, options } = split;
  return JSON.stringify({
    total: amountBody(total),
    parts: parts.map(partBody),
    ...donorBody(split),
    ...optionsBody(options),
  });
}

function partBody({ fundId, feeCover, ...part }: NewPart): object {
  return {
    ...dividedBody(part),
    ...(fundId !== null && { fund_id: fundId }),
    ...(feeCover && { fee_cover: feeCoverBody(feeCover) }),
  };
}

function dividedBody({ organizationId, amount }: DividedPart): object {
  return { organization_id: organizationId, minor_units: amount.minorUnits.toString() };
}

function splitCoversFrom(parsed: unknown): SplitCovers {
  const parts = asList(asObject(parsed)["parts"]).map(
    (part) => [asText(asObject(part)["organization_id"]), coversIn(part)] as const,
  );
  return { covers: coversIn(parsed), parts: new Map(parts) };
}

function giftFrom(parsed: unknown): SplitGift {
  const answer = asObject(parsed);
  return { id: asText(answer["id"]), parts: asList(answer["parts"]).map(partFrom) };
}

function partFrom(parsed: unknown): SplitPart {
  const part = asObject(parsed);
  return {
    donationId: asText(part["donation_id"]),
    organizationId: asText(part["organization_id"]),
    amount: moneyFrom(part["amount"]),
    feeCover: moneyFrom(part["fee_cover"]),
    status: statusFrom(part["status"]),
    outcome: OUTCOMES.find((known) => known === part["payment"]) ?? null,
    clientSecret: asText(part["client_secret"] ?? ""),
    stripeAccount: asText(part["stripe_account"] ?? ""),
  };
}

/** On the platform itself, and so without an account. */
function setupFrom(parsed: unknown): PaymentHandle {
  const answer = asObject(parsed);
  const { client_secret: clientSecret, publishable_key: publishableKey } = answer;
  return { clientSecret: asText(clientSecret), publishableKey: asText(publishableKey), stripeAccount: null };
}
