import type { Language } from "../language/language";
import { isCurrencyCode, type Money } from "../money";
import { asCount, asList, asObject, asText, requestJson } from "./http";
import { type Picture, pictureFrom } from "./pictures";

export interface Organization {
  readonly id: string;
  readonly name: string;
  /** ISO 3166-1 alpha-2, `GB`. */
  readonly country: string;
  /** Whether a gift may keep its donor from the organisation. */
  readonly takesAnonymousGifts: boolean;
  /** The sites that donors may be sent back to, such as `https://charity.example`. */
  readonly returnOrigins: readonly string[];
  /** Null too in lists. */
  readonly logo: Picture | null;
  readonly banner: Picture | null;
}

/** Something that a gift can be restricted to. */
export interface Fund {
  readonly id: string;
  readonly name: string;
}

/** What a donor may say beside amount and name. */
export interface GiftOptions {
  readonly fundId: string | null;
  readonly dedication: {
    readonly kind: "in_honour_of" | "in_memory_of";
    readonly honouree: string;
    readonly notify: { readonly name: string; readonly email: string } | null;
  } | null;
  readonly company: { readonly name: string; readonly taxId: string | null } | null;
  readonly message: string | null;
  readonly isAnonymous: boolean;
  /** A UK taxpayer's declaration, made under the words that the page shows beside it. */
  readonly giftAid: GiftAid | null;
  /** Where the donor lives, which some countries' official receipts name. */
  readonly address: PostalAddress | null;
}

export interface PostalAddress {
  /** Street and number. */
  readonly line: string;
  readonly city: string;
  readonly region: string | null;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export interface GiftAid {
  readonly title: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly house: string;
  readonly postcode: string;
}

const STATUSES = ["pending", "processing", "succeeded", "failed", "canceled"] as const;
export type DonationStatus = (typeof STATUSES)[number];

const RETURNED = ["partially_refunded", "refunded", "disputed", "charged_back"] as const;
/** What became of a gift's money after it had arrived. */
export type Returned = (typeof RETURNED)[number];

/** Where the gift stands in the public ledger. `checkpointSize` is null until a checkpoint covers the entry. */
export interface LedgerPlace {
  readonly index: number;
  readonly checkpointSize: number | null;
}

export interface Donation {
  readonly id: string;
  /** Null where the answer names no moment that can be read. */
  readonly createdAt: Date | null;
  readonly status: DonationStatus;
  /** What the donor pays in all. */
  readonly amount: Money;
  /** What of it they added for the processor's fee; null without. */
  readonly feeCover: Money | null;
  readonly organizationId: string;
  /** Null while the gift stands whole, and for words that this page does not know. */
  readonly returned: Returned | null;
  readonly refunded: Money | null;
  readonly ledger: LedgerPlace | null;
  /** Nothing is entered just now: the books are compared with the public ledger. A payment that was made is safe. */
  readonly waitsForBooks: boolean;
}

/** What Stripe.js needs to take the payment on the organization's own account; on the platform where there is none. */
export interface PaymentHandle {
  readonly clientSecret: string;
  readonly publishableKey: string;
  readonly stripeAccount: string | null;
}

export interface CreatedDonation {
  readonly donation: Donation;
  readonly payment: PaymentHandle;
}

export interface Giver {
  readonly donorName: string;
  readonly donorEmail: string;
  /** Of letters and receipts. */
  readonly language: Language;
  readonly options?: GiftOptions;
}

/** What a donor is asked about sharing facts of a gift; what it is for and what its words are called travels with a tick. */
export interface SharingOffer {
  readonly purpose: string;
  readonly wording: string;
  readonly texts: Readonly<Record<string, string>>;
}

export interface NewDonation extends Giver {
  readonly organizationId: string;
  readonly amount: Money;
  /** What the donor ticked to share; absent, nothing is shared. */
  readonly dataSharing?: SharingOffer;
  /** What the donor ticked to add; absent, nothing is added. */
  readonly feeCover?: FeeCover;
}

/** A request that makes something, once however often it is sent. */
export interface Posting {
  readonly body: string;
  readonly idempotencyKey: string;
  /** Of the challenge that the request was answered with before. */
  readonly solution: string | undefined;
}

/** What covers the processor's fee of one gift, for one way to pay. */
export interface FeeCover {
  /** In Stripe's words: `card`, `sepa_debit`, `us_bank_account`. */
  readonly method: string;
  readonly amount: Money;
}

/** The public part of the HTTP API. Every method throws RequestFault. */
export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = `${url}/v1`;
  }

  organization(id: string): Promise<Organization> {
    return requestJson(`${this.#url}/public/organisations/${encodeURIComponent(id)}`, organizationFrom);
  }

  organizations(): Promise<readonly Organization[]> {
    return requestJson(`${this.#url}/public/organisations?limit=100`, (parsed) => listIn(parsed).map(organizationFrom));
  }

  openFunds(organizationId: string): Promise<readonly Fund[]> {
    return requestJson(`${this.#url}/public/organisations/${encodeURIComponent(organizationId)}/funds`, (parsed) =>
      listIn(parsed)
        .map(asObject)
        .filter((fund) => fund["is_open"] === true)
        .map(({ id, name }) => ({ id: asText(id), name: asText(name) })),
    );
  }

  /** Empty where no data is shared. */
  sharingOffers(): Promise<readonly SharingOffer[]> {
    return requestJson(`${this.#url}/public/data-sharing`, (parsed) => listIn(parsed).map(sharingOfferFrom));
  }

  donation(id: string): Promise<Donation> {
    return requestJson(`${this.#url}/donations/${encodeURIComponent(id)}`, donationFrom);
  }

  /** What covers the fee of this gift, the usual way to pay first; empty where nobody knows it beforehand. */
  feeCovers(organizationId: string, { minorUnits, currency }: Money): Promise<readonly FeeCover[]> {
    const asked = { organization_id: organizationId, minor_units: minorUnits.toString(), currency };
    return requestJson(`${this.#url}/donations/quote?${new URLSearchParams(asked)}`, coversIn);
  }

  createDonation(posting: Posting): Promise<CreatedDonation> {
    return requestJson(`${this.#url}/donations`, createdFrom, postingInit(posting));
  }

  /** Begins recurring gifts: the answer is the first of them. */
  createPlan(posting: Posting): Promise<CreatedDonation> {
    return requestJson(
      `${this.#url}/recurring`,
      (parsed) => createdFrom(asObject(parsed)["donation"]),
      postingInit(posting),
    );
  }
}

/** The same key and body are one gift, however often they are sent. */
export function postingInit({ body, idempotencyKey, solution }: Posting): RequestInit {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey };
  return {
    method: "POST",
    headers: solution === undefined ? headers : { ...headers, "Amply-Challenge": solution },
    body,
  };
}

/** Who gives, and in which language letters and receipt come. */
export function donorBody({ donorName, donorEmail, language, options }: Giver): object {
  const address = options?.address ?? null;
  return {
    donor: { name: donorName, email: donorEmail, ...(address !== null && { address: addressBody(address) }) },
    language,
  };
}

function addressBody({ line, city, region, postalCode, country }: PostalAddress): object {
  return { lines: [line], city, region, postal_code: postalCode, country };
}

export function donationBody(donation: NewDonation): string {
  return JSON.stringify(donationFields(donation));
}

/** A gift now and the same again in a rhythm, by the calendar of `timeZone` (IANA). */
export function planBody(donation: NewDonation, every: string, timeZone: string): string {
  return JSON.stringify({ ...donationFields(donation), every, time_zone: timeZone });
}

function donationFields(donation: NewDonation): object {
  const { organizationId, amount, feeCover, dataSharing, options } = donation;
  return {
    organization_id: organizationId,
    amount: amountBody(amount),
    ...donorBody(donation),
    ...(feeCover && { fee_cover: feeCoverBody(feeCover) }),
    ...(dataSharing && { data_sharing: { purpose: dataSharing.purpose, wording: dataSharing.wording } }),
    ...(options === undefined ? {} : optionsBody(options)),
  };
}

export function sharingOfferFrom(parsed: unknown): SharingOffer {
  const { purpose, wording, texts } = asObject(parsed);
  const said = Object.entries(asObject(texts)).map(([language, text]) => [language, asText(text)] as const);
  return { purpose: asText(purpose), wording: asText(wording), texts: Object.fromEntries(said) };
}

export function feeCoverBody({ method, amount }: FeeCover): object {
  return { method, minor_units: amount.minorUnits.toString() };
}

export function amountBody({ minorUnits, currency }: Money): object {
  return { minor_units: minorUnits.toString(), currency };
}

/** Only what was said: what was not keeps the API's own defaults. */
export function optionsBody({ fundId, dedication, company, message, isAnonymous, giftAid }: GiftOptions): object {
  return {
    ...(fundId !== null && { fund_id: fundId }),
    ...(dedication !== null && { dedication }),
    ...(company !== null && { company: { name: company.name, tax_id: company.taxId } }),
    ...(message !== null && { message }),
    ...(isAnonymous && { anonymity: "organization" }),
    ...(giftAid !== null && { gift_aid: giftAidBody(giftAid) }),
  };
}

function giftAidBody({ title, firstName, lastName, house, postcode }: GiftAid): object {
  return { title, first_name: firstName, last_name: lastName, house, postcode, declares: true };
}

/** A page of results carries its items under `data`. */
function listIn(parsed: unknown): readonly unknown[] {
  return Array.isArray(parsed) ? parsed : asList(asObject(parsed)["data"]);
}

function organizationFrom(parsed: unknown): Organization {
  const answer = asObject(parsed);
  return {
    id: asText(answer["id"]),
    name: asText(answer["name"]),
    country: asText(answer["country"] ?? ""),
    takesAnonymousGifts: answer["takes_anonymous_gifts"] === true,
    returnOrigins: asList(answer["return_origins"] ?? []).map(asText),
    logo: pictureFrom(answer["logo"]),
    banner: pictureFrom(answer["banner"]),
  };
}

function donationFrom(parsed: unknown): Donation {
  const answer = asObject(parsed);
  return {
    id: asText(answer["id"]),
    createdAt: momentFrom(answer["created_at"]),
    status: statusFrom(answer["status"]),
    amount: moneyFrom(answer["amount"]),
    feeCover: coverIn(answer),
    organizationId: asText(answer["organization_id"]),
    returned: RETURNED.find((known) => known === answer["standing"]) ?? null,
    refunded: isAbsent(answer["refunded"]) ? null : moneyFrom(answer["refunded"]),
    ledger: isAbsent(answer["ledger"]) ? null : placeFrom(answer["ledger"]),
    waitsForBooks: answer["waits_for_books"] === true,
  };
}

function createdFrom(parsed: unknown): CreatedDonation {
  return { donation: donationFrom(parsed), payment: paymentFrom(asObject(parsed)["payment"]) };
}

function momentFrom(parsed: unknown): Date | null {
  const moment = new Date(typeof parsed === "string" ? parsed : Number.NaN);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** It stands by itself in the answer to a new donation, and among its costs later. */
function coverIn(answer: Readonly<Record<string, unknown>>): Money | null {
  const told = isAbsent(answer["costs"]) ? answer["fee_cover"] : asObject(answer["costs"])["fee_cover"];
  const cover = isAbsent(told) ? null : moneyFrom(told);
  return cover === null || cover.minorUnits === 0n ? null : cover;
}

/** Those of a quote. */
export function coversIn(parsed: unknown): readonly FeeCover[] {
  return asList(asObject(parsed)["covers"]).map(feeCoverFrom);
}

function feeCoverFrom(parsed: unknown): FeeCover {
  const { method, fee_cover: cover } = asObject(parsed);
  return { method: asText(method), amount: moneyFrom(cover) };
}

export function statusFrom(parsed: unknown): DonationStatus {
  const status = STATUSES.find((known) => known === parsed);
  if (status === undefined) throw new TypeError("not a donation status");
  return status;
}

function placeFrom(parsed: unknown): LedgerPlace | null {
  const { index, checkpoint_size: size } = asObject(parsed);
  if (isAbsent(index)) return null;
  return { index: asCount(index), checkpointSize: isAbsent(size) ? null : asCount(size) };
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function moneyFrom(parsed: unknown): Money {
  const answer = asObject(parsed);
  const currency = asText(answer["currency"]);
  if (!isCurrencyCode(currency)) throw new TypeError("not a currency code");
  return { minorUnits: BigInt(asText(answer["minor_units"])), currency };
}

function paymentFrom(parsed: unknown): PaymentHandle {
  const answer = asObject(parsed);
  return {
    clientSecret: asText(answer["client_secret"]),
    publishableKey: asText(answer["publishable_key"]),
    stripeAccount: asText(answer["stripe_account"]),
  };
}
