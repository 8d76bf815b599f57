import type { GiftAid, GiftOptions } from "../site/api";

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
  readonly declaresGiftAid: boolean;
  readonly title: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly house: string;
  readonly postcode: string;
}

export const NO_OPTIONS: OptionsDraft = {
  ...{ fund: "", dedication: "", honouree: "", toldName: "", toldEmail: "" },
  ...{ company: "", taxId: "", message: "", isAnonymous: false },
  ...{ declaresGiftAid: false, title: "", firstName: "", lastName: "", house: "", postcode: "" },
};

/** Those that are typed. */
export type TypedOption = Exclude<keyof OptionsDraft, "fund" | "dedication" | "isAnonymous" | "declaresGiftAid">;

export type OptionFaults = Partial<Readonly<Record<keyof OptionsDraft, string>>>;

/** What a kind of gift can be given with; what it cannot is neither shown nor sent. */
export interface Keeps {
  readonly fund: boolean;
  readonly dedication: boolean;
  readonly company: boolean;
  readonly anonymity: boolean;
  readonly giftAid: boolean;
}

/** To one organisation, once or again and again: every gift of a plan says what the first one said. */
export const GIFTS_KEEP: Keeps = { fund: true, dedication: true, company: true, anonymity: true, giftAid: true };
/** A fund belongs to one organisation; fees of parts, and a declaration to several organisations, this page does not ask for. */
export const SHARED_GIFTS_KEEP: Keeps = { fund: false, dedication: true, company: true, anonymity: true, giftAid: false };

/** What is asked of the API, or a sentence for each field that lacks something. */
export function checkOptions(
  options: OptionsDraft,
  keeps: Keeps,
): { readonly said: GiftOptions } | { readonly faults: OptionFaults } {
  const declares = keeps.giftAid && options.declaresGiftAid;
  const faults = { ...(keeps.dedication ? dedicationFaults(options) : {}), ...(declares ? giftAidFaults(options) : {}) };
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
  const faults: { -readonly [field in keyof OptionsDraft]?: string } = {};
  if (honouree.trim() === "") faults.honouree = "Enter the name of whom you dedicate the gift to.";
  if (toldName.trim() === "" && toldEmail.trim() !== "") faults.toldName = "Enter their name too: the letter begins with it.";
  if (toldName.trim() !== "" && !/^[^\s@]+@[^\s@]+$/.test(toldEmail.trim())) {
    faults.toldEmail = "Enter the address our letter goes to, like name@example.org, or leave the name empty.";
  }
  return faults;
}

function giftAidIn({ title, firstName, lastName, house, postcode }: OptionsDraft): GiftAid {
  const [first, last] = [firstName.trim(), lastName.trim()];
  return { title: title.trim(), firstName: first, lastName: last, house: house.trim(), postcode: postcode.trim() };
}

function giftAidFaults({ firstName, lastName, house, postcode }: OptionsDraft): OptionFaults {
  return {
    ...(firstName.trim() === "" && { firstName: "Enter your first name: the declaration needs it." }),
    ...(lastName.trim() === "" && { lastName: "Enter your last name: the declaration needs it." }),
    ...(house.trim() === "" && { house: "Enter the name or number of your house." }),
    ...(postcode.trim() === "" && { postcode: "Enter your home's postcode, or X if you live outside the UK." }),
  };
}
