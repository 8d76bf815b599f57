import { type Language, languageIn } from "./language/language";
import { isCurrencyCode, type Money, parseMinorUnits } from "./money";
import { type Rhythm, rhythmFrom } from "./rhythm";

const ORGANIZATION_ID = /^org_[A-Za-z0-9_-]{1,64}$/;
const SPLIT_ID = /^spl_[A-Za-z0-9_-]{1,64}$/;
const DONATION_ID = /^don_[A-Za-z0-9_-]{1,64}$/;

export function isOrganizationId(text: string): boolean {
  return ORGANIZATION_ID.test(text);
}

/** Longer ones are cut off by some servers on the way. */
const LONGEST_RETURN = 2000;

/** What the donation page is asked for in its address. */
export interface DonationAddress {
  readonly organization: string | null;
  /** All that are named; a gift can be shared between them. */
  readonly organizations: readonly string[];
  /** The gift is shared between several organisations. */
  readonly isShared: boolean;
  /** A gift to several whose card was entered: the page then shows what became of it. */
  readonly split: string | null;
  readonly currency: string;
  readonly amount: Money | null;
  /** Where the donor wants to be sent back to, as the link says it; the organisation decides whether that may be. */
  readonly returnTo: string | null;
  /** Set once a payment was attempted: the page then shows what became of it. */
  readonly donation: string | null;
  /** How often that gift is made. Of no meaning before a payment: no link chooses for the donor. */
  readonly rhythm: Rhythm;
  /** Asked for by the address, or chosen on the page and remembered there; null: the browser's. */
  readonly language: Language | null;
  /** A payment method sent the donor back without having paid. */
  readonly isRefused: boolean;
  /** The donor was sent back with a card or account entered: the parts of a gift to several can be paid. */
  readonly isSetUp: boolean;
}

/** Anything unreadable counts as absent: the page then asks for it instead of showing an error. */
export function readDonationAddress(search: string): DonationAddress {
  const query = new URLSearchParams(search);
  const organizations = [...new Set(query.getAll("org"))].filter(isOrganizationId);
  const split = query.get("split") ?? "";
  const returnTo = query.get("return") ?? "";
  const donation = query.get("donation") ?? "";
  const asked = (query.get("currency") ?? "").toUpperCase();
  const currency = isCurrencyCode(asked) ? asked : "EUR";
  const minorUnits = parseMinorUnits(query.get("amount") ?? "");
  return {
    organization: organizations[0] ?? null,
    organizations,
    isShared: query.has("share"),
    split: SPLIT_ID.test(split) ? split : null,
    currency,
    amount: minorUnits === null ? null : { minorUnits, currency },
    returnTo: returnTo === "" || returnTo.length > LONGEST_RETURN ? null : returnTo,
    donation: DONATION_ID.test(donation) ? donation : null,
    rhythm: rhythmFrom(query.get("every") ?? ""),
    language: languageIn(search),
    isRefused: query.get("redirect_status") === "failed",
    isSetUp: query.has("setup_intent") && query.get("redirect_status") === "succeeded",
  };
}

/** What a link to the donation page asks for. `amount` absent: the donor chooses. */
export interface DonationRequest {
  readonly organization: string;
  readonly currency: string;
  readonly amount: Money | null;
  /** Where the donor can go back to afterwards; a whole address, on a site that the organisation has allowed. */
  readonly returnTo: string | null;
  /** Null, or absent: the donor's browser's. */
  readonly language?: Language | null;
}

/** `site` is the folder the pages stand in, with its last slash. */
export function donationUrl(
  site: URL,
  { organization, currency, amount, returnTo, language = null }: DonationRequest,
): string {
  const url = new URL("donate/", site);
  url.searchParams.set("org", organization);
  if (amount !== null) url.searchParams.set("amount", amount.minorUnits.toString());
  url.searchParams.set("currency", currency);
  if (returnTo !== null) url.searchParams.set("return", returnTo);
  if (language !== null) url.searchParams.set("lang", language);
  return url.href;
}

/** What a link to one gift to several organisations asks for. */
export interface ShareRequest {
  readonly organizations: readonly string[];
  readonly currency: string;
  readonly amount: Money | null;
  readonly language: Language | null;
}

/** As `donationUrl`. */
export function shareUrl(site: URL, { organizations, currency, amount, language }: ShareRequest): string {
  const url = new URL("donate/?share=1", site);
  for (const id of organizations) url.searchParams.append("org", id);
  if (amount !== null) url.searchParams.set("amount", amount.minorUnits.toString());
  url.searchParams.set("currency", currency);
  if (language !== null) url.searchParams.set("lang", language);
  return url.href;
}
