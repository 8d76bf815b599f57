import { asSaid } from "../language/speech";
import type { GiftAid, GiftOptions, Organization, PostalAddress } from "../site/api";
import type { RequestFault } from "../site/http";
import type { Said } from "./language";

/** What a donor may say beside the amount, as typed. All of it may stay empty. */
export interface OptionsDraft {
  readonly fund: string;
  readonly dedication: "" | "in_honour_of" | "in_memory_of";
  readonly honouree: string;
  readonly toldName: string;
  readonly toldEmail: string;
  readonly company: string;
  readonly taxId: string;
  readonly message: string;
  readonly isAnonymous: boolean;
  readonly sharesData: boolean;
  readonly declaresGiftAid: boolean;
  readonly title: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly house: string;
  readonly postcode: string;
  readonly street: string;
  readonly city: string;
  readonly region: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export const NO_OPTIONS: OptionsDraft = {
  ...{ fund: "", dedication: "", honouree: "", toldName: "", toldEmail: "" },
  ...{ company: "", taxId: "", message: "", isAnonymous: false, sharesData: false },
  ...{ declaresGiftAid: false, title: "", firstName: "", lastName: "", house: "", postcode: "" },
  // Canada's receipts alone name where the donor lives.
  ...{ street: "", city: "", region: "", postalCode: "", country: "CA" },
};

/** Those that are typed. */
export type TypedOption = Exclude<
  keyof OptionsDraft,
  "fund" | "dedication" | "isAnonymous" | "sharesData" | "declaresGiftAid" | "country"
>;

export type OptionFaults = Partial<Readonly<Record<keyof OptionsDraft, Said>>>;

/** What a kind of gift can be given with; what it cannot is neither shown nor sent. */
export interface Keeps {
  readonly fund: boolean;
  readonly dedication: boolean;
  readonly company: boolean;
  readonly anonymity: boolean;
  readonly giftAid: boolean;
  /** Where the donor lives, which some countries' receipts name. */
  readonly address: boolean;
}

/**
 * What can be said of gifts to these organisations, once or again and again: every gift of a plan says what the first one said.
 * Ticked or typed before that could not be any more, it is neither shown nor sent.
 */
export function keepsOf(organizations: readonly Organization[], currency: string, options: OptionsDraft): Keeps {
  const anonymity = organizations.every(({ takesAnonymousGifts }) => takesAnonymousGifts);
  // A declaration and an official receipt tell the organisation who gives.
  const isTold = !(anonymity && options.isAnonymous);
  const isBritish =
    currency === "GBP" && organizations.length > 0 && organizations.every(({ country }) => country === "GB");
  return {
    ...{ fund: organizations.length === 1, dedication: true, company: true, anonymity },
    // People declare it, companies do not.
    giftAid: isBritish && isTold && options.company.trim() === "",
    // Regulation 3501: Canada's official receipts name where the donor lives, and are for gifts in Canadian dollars.
    address: currency === "CAD" && isTold && organizations.some(({ country }) => country === "CA"),
  };
}

/** What is asked of the API, or a sentence for each field that lacks something. */
export function checkOptions(
  options: OptionsDraft,
  keeps: Keeps,
): { readonly said: GiftOptions } | { readonly faults: OptionFaults } {
  const declares = keeps.giftAid && options.declaresGiftAid;
  const faults = {
    ...(keeps.dedication ? dedicationFaults(options) : {}),
    ...(declares ? giftAidFaults(options) : {}),
    ...(keeps.address ? addressFaults(options) : {}),
  };
  if (Object.keys(faults).length > 0) return { faults };
  const company = options.company.trim();
  return {
    said: {
      fundId: (keeps.fund && options.fund) || null,
      dedication: keeps.dedication ? dedicationIn(options) : null,
      company: keeps.company && company !== "" ? { name: company, taxId: options.taxId.trim() || null } : null,
      message: options.message.trim() || null,
      isAnonymous: keeps.anonymity && options.isAnonymous,
      giftAid: declares ? giftAidIn(options) : null,
      address: keeps.address && hasAddress(options) ? addressIn(options) : null,
    },
  };
}

function dedicationIn({ dedication, honouree, toldName, toldEmail }: OptionsDraft): GiftOptions["dedication"] {
  if (dedication === "") return null;
  const name = toldName.trim();
  const notify = name === "" ? null : { name, email: toldEmail.trim() };
  return { kind: dedication, honouree: honouree.trim(), notify };
}

function dedicationFaults({ dedication, honouree, toldName, toldEmail }: OptionsDraft): OptionFaults {
  if (dedication === "") return {};
  const faults: { -readonly [field in keyof OptionsDraft]?: Said } = {};
  if (honouree.trim() === "") faults.honouree = ({ t }) => t.honoureeMissing;
  if (toldName.trim() === "" && toldEmail.trim() !== "") faults.toldName = ({ t }) => t.toldNameMissing;
  if (toldName.trim() !== "" && !/^[^\s@]+@[^\s@]+$/.test(toldEmail.trim())) {
    faults.toldEmail = ({ t }) => t.toldEmailForm;
  }
  return faults;
}

function giftAidIn({ title, firstName, lastName, house, postcode }: OptionsDraft): GiftAid {
  const [first, last] = [firstName.trim(), lastName.trim()];
  return { title: title.trim(), firstName: first, lastName: last, house: house.trim(), postcode: postcode.trim() };
}

function giftAidFaults({ firstName, lastName, house, postcode }: OptionsDraft): OptionFaults {
  return {
    ...(firstName.trim() === "" && { firstName: missing("firstNameMissing") }),
    ...(lastName.trim() === "" && { lastName: missing("lastNameMissing") }),
    ...(house.trim() === "" && { house: missing("houseMissing") }),
    ...(postcode.trim() === "" && { postcode: missing("postcodeMissing") }),
  };
}

function hasAddress({ street, city, region, postalCode }: OptionsDraft): boolean {
  return [street, city, region, postalCode].some((text) => text.trim() !== "");
}

function addressIn({ street, city, region, postalCode, country }: OptionsDraft): PostalAddress {
  return {
    line: street.trim(),
    city: city.trim(),
    region: region.trim() || null,
    postalCode: postalCode.trim(),
    country,
  };
}

/** All of it or nothing: half an address makes no receipt. */
function addressFaults(options: OptionsDraft): OptionFaults {
  if (!hasAddress(options)) return {};
  const { street, city, postalCode } = options;
  return {
    ...(street.trim() === "" && { street: missing("streetMissing") }),
    ...(city.trim() === "" && { city: missing("cityMissing") }),
    ...(postalCode.trim() === "" && { postalCode: missing("postalCodeMissing") }),
  };
}

type Missing = `${"firstName" | "lastName" | "house" | "postcode" | "street" | "city" | "postalCode"}Missing`;

function missing(what: Missing): Said {
  return ({ t }) => t[what];
}

const FIELDS: readonly (readonly [string, keyof OptionsDraft])[] = [
  ["donor.address.lines", "street"],
  ["donor.address.city", "city"],
  ["donor.address.region", "region"],
  ["donor.address.postal_code", "postalCode"],
  ["gift_aid.title", "title"],
  ["gift_aid.first_name", "firstName"],
  ["gift_aid.last_name", "lastName"],
  ["gift_aid.house", "house"],
  ["gift_aid.postcode", "postcode"],
  ["dedication.honouree", "honouree"],
  ["dedication.notify.name", "toldName"],
  ["dedication.notify.email", "toldEmail"],
  ["company.name", "company"],
  ["company.tax_id", "taxId"],
  ["message", "message"],
];

const CHECK_THIS: Said = ({ t }) => t.checkThis;

/** The option that a refusal speaks of, with the sentence to put beside it; null when it speaks of none. */
export function optionFaultIn(fault: RequestFault): OptionFaults | null {
  const field = FIELDS.find(([param]) => fault.param === param || fault.param.startsWith(`${param}.`))?.[1];
  if (field === undefined) return null;
  return { [field]: fault.code === "invalid_request" ? CHECK_THIS : asSaid(fault) };
}
