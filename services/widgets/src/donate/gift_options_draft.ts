import type { GiftOptions } from "../site/api";

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
}

export const NO_OPTIONS: OptionsDraft = {
  ...{ fund: "", dedication: "", honouree: "", toldName: "", toldEmail: "" },
  ...{ company: "", taxId: "", message: "", isAnonymous: false },
};

export type OptionFaults = Partial<Readonly<Record<keyof OptionsDraft, string>>>;

/** What a kind of gift can be given with; what it cannot is neither shown nor sent. */
export interface Keeps {
  readonly feeCover: boolean;
  readonly fund: boolean;
  readonly dedication: boolean;
  readonly company: boolean;
  readonly anonymity: boolean;
}

export const SINGLE_GIFTS_KEEP: Keeps = { feeCover: true, fund: true, dedication: true, company: true, anonymity: true };
/** What the API takes for recurring gifts (`POST /v1/recurring`): an option that it learns to keep is true here from then on. */
export const PLANS_KEEP: Keeps = { feeCover: false, fund: false, dedication: false, company: false, anonymity: false };
/** A fund belongs to one organisation, and a dedication would write a letter for each. */
export const SHARED_GIFTS_KEEP: Keeps = { feeCover: false, fund: false, dedication: false, company: true, anonymity: true };

const CALLED: Readonly<Record<keyof Keeps, string>> = {
  fund: "choosing what it is for",
  dedication: "a dedication",
  company: "giving as a company",
  anonymity: "staying unknown to the organisation",
  feeCover: "adding the payment fee",
};

/** What is left out, as people call it; empty where everything is kept. */
export function leftOut(keeps: Keeps): readonly string[] {
  return (Object.keys(CALLED) as (keyof Keeps)[]).filter((option) => !keeps[option]).map((option) => CALLED[option]);
}

/** What is asked of the API, or a sentence for each field that lacks something. */
export function checkOptions(
  options: OptionsDraft,
  keeps: Keeps,
): { readonly said: GiftOptions } | { readonly faults: OptionFaults } {
  const faults = keeps.dedication ? dedicationFaults(options) : {};
  if (Object.keys(faults).length > 0) return { faults };
  const company = options.company.trim();
  return {
    said: {
      fundId: (keeps.fund && options.fund) || null,
      dedication: keeps.dedication ? dedicationIn(options) : null,
      company: keeps.company && company !== "" ? { name: company, taxId: options.taxId.trim() || null } : null,
      message: options.message.trim() || null,
      isAnonymous: keeps.anonymity && options.isAnonymous,
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
