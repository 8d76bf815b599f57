import type { ComponentChild } from "preact";

import type { Rhythm } from "../../rhythm";
import type { Returned } from "../../site/api";

/** Makes a link of these words. */
type Link = (words: string) => ComponentChild;

interface Mandate {
  readonly organization: string;
  readonly sum: string;
  readonly each: string;
  readonly next: ComponentChild;
  /** On a day that shorter months do not have. */
  readonly isLate: boolean;
}

interface Rhythmical {
  readonly sum: string;
  readonly each: string;
  readonly next: ComponentChild;
  /** To the donors' own page. */
  readonly own: Link;
}

interface Declared {
  /** The organisations' names. */
  readonly to: string;
  readonly isOne: boolean;
  readonly sum: string | null;
  readonly isOnce: boolean;
}

interface Failed {
  /** What went through; null: nothing. */
  readonly stays: string | null;
  readonly failed: string;
  readonly isOne: boolean;
}

/** The problems of the API that a donor can meet; a test holds the list to the API's own. */
export type DonorFault =
  | "amount_not_acceptable"
  | "challenge_required"
  | "currency_not_supported"
  | "data_sharing_not_acceptable"
  | "donation_not_found"
  | "donor_facts_not_acceptable"
  | "fee_cover_changed"
  | "form_closed"
  | "fund_not_acceptable"
  | "gift_options_not_acceptable"
  | "idempotency_key_missing"
  | "idempotency_key_reused"
  | "invalid_request"
  | "not_found"
  | "organization_not_found"
  | "organization_not_ready"
  | "payment_method_missing"
  | "plan_never_started"
  | "rate_limit_exceeded"
  | "schedule_not_acceptable"
  | "setups_used_up"
  | "split_gift_closed"
  | "split_gift_not_found"
  | "split_not_acceptable";

const EACH: Readonly<Record<Rhythm, string>> = {
  once: "",
  month: "each month",
  quarter: "each quarter",
  year: "each year",
};

/** Everything the donation page says, in English. The other languages have the same, which the compiler holds. */
export const EN = {
  title: "Donate",
  donateTo: (organization: string) => `Donate to ${organization}`,
  skip: "Skip to the form",
  chooseWhom: "Choose whom to give to:",
  nobodyYet: "No organisation takes donations here yet.",
  share: "Share a gift between several organisations",

  // Beside the form.
  handling: "How your gift is handled",
  givenDirectly: "The organisation receives your gift directly. Amply never holds it.",
  writtenDown: (ledger: Link) => (
    <>Every gift is written into {ledger("a public ledger")} that anyone can verify, without your name.</>
  ),
  provedByReceipt: "Your receipt carries the proof.",

  // How often and how much.
  howOften: "How often",
  rhythm: { once: "Once", month: "Monthly", quarter: "Quarterly", year: "Yearly" } as Readonly<Record<Rhythm, string>>,
  each: EACH,
  eachTime: (amount: string, rhythm: Rhythm) => `${amount} ${EACH[rhythm]}`.trimEnd(),
  yourGift: "Your gift",
  whatItMeans: ({ sum, each, next, own }: Rhythmical) => (
    <>
      {sum} now and then {each}, the next time on {next}. You can change, pause or end it whenever you like, without an
      account: by the link in our letters, or on {own("your recurring gifts")}.
    </>
  ),
  saidOfEach: "What you say of your gift below goes with each of them.",
  amountIn: (currency: string) => `Amount in ${currency}`,
  checkAmount: "Please check the amount.",
  checkThis: "Please check this.",

  // The payment company's fee.
  addTheFee: "Add the payment fee",
  addFee: (fee: string) => `Add ${fee} for the payment fee`,
  lookingUpFee: "Looking up the fee for this amount…",
  feeKept: (amount: string) => `The payment company keeps about that much of your ${amount}.`,
  youPay: (total: string) =>
    `You pay ${total}. The true fee may differ a little; whatever is left goes to the organisation.`,
  howYouPay: "How you will pay",
  ways: { card: "Card", sepa_debit: "SEPA direct debit", us_bank_account: "US bank account" } as Readonly<
    Record<string, string>
  >,
  adds: (way: string, fee: string) => `${way}: adds ${fee}`,
  feesOfParts: "What of it is for whom",
  feeNotKnown: "The payment fee for this amount is not known yet. Wait a moment, or give without adding it.",
  feeChanged: "The payment fee has changed meanwhile. Reload the page to see it, or give without adding it.",

  // Who gives.
  yourName: "Your name",
  yourEmail: "Your e-mail address",
  yourEmailHint: "For your receipt. It is never published.",
  nameMissing: "Enter your name, so that the organisation can thank you.",
  nameTooLong: "Enter your name in at most 200 characters.",
  emailMissing: "Enter your e-mail address: your receipt goes there.",
  emailForm: "Write the e-mail address like name@example.org.",

  // Where they live.
  address: "Your address, for the tax receipt",
  addressWhy:
    "Canada's law asks for it on an official receipt for income tax. You may leave it empty: your gift is then acknowledged, without such a receipt.",
  street: "Street and number",
  city: "Town",
  region: "Province or state",
  postalCode: "Postal code",
  country: "Country",
  streetMissing: "Enter street and number too, or leave the whole address empty.",
  cityMissing: "Enter the town too, or leave the whole address empty.",
  postalCodeMissing: "Enter the postal code too, or leave the whole address empty.",

  // Gift Aid.
  giftAid: "Gift Aid it: 25p more for every £1, at no cost to you",
  declaration: "Your declaration",
  iDeclare: ({ to, isOne, sum, isOnce }: Declared) => {
    const donations = isOne ? "my donation" : "my donations";
    const gift = sum === null ? donations : `${donations} of ${sum}${isOne ? "" : " in all"}`;
    return (
      `I want to Gift Aid ${isOnce ? gift : "this donation, and all that follow it as I chose above,"} to ${to}. I am a UK taxpayer and ` +
      "understand that if I pay less Income Tax and/or Capital Gains Tax than the amount of Gift Aid claimed on all my donations in that " +
      "tax year, it is my responsibility to pay any difference."
    );
  },
  declarationCounts: "",
  declarationChanges:
    "Tell the organisation if you want to cancel this declaration, change your name or home address, or no longer pay enough tax.",
  personTitle: "Title",
  personTitleHint: "Such as Ms. You may leave it empty.",
  firstName: "First name",
  lastName: "Last name",
  house: "House name or number",
  postcode: "Postcode of your home",
  postcodeHint: "X if you live outside the UK.",
  firstNameMissing: "Enter your first name: the declaration needs it.",
  lastNameMissing: "Enter your last name: the declaration needs it.",
  houseMissing: "Enter the name or number of your house.",
  postcodeMissing: "Enter your home's postcode, or X if you live outside the UK.",

  // What else there is to say.
  sayMore: "Say more about your gift",
  whatFor: "What it is for",
  whatForAt: (organization: string) => `What it is for: ${organization}`,
  whereNeeded: "Wherever it is needed most",
  dedicate: "Dedicate it",
  toNobody: "To nobody",
  honourSomebody: "In honour of somebody",
  rememberSomebody: "In memory of somebody",
  dedication: "Your dedication",
  dedicated: { in_honour_of: "In honour of", in_memory_of: "In memory of" },
  honoureeMissing: "Enter the name of whom you dedicate the gift to.",
  toldName: "Whom we should tell",
  toldNameHint: "You may leave this empty. They get one letter, which does not say how much you gave.",
  toldNameMissing: "Enter their name too: the letter begins with it.",
  toldEmail: "E-mail address of whom we tell",
  toldEmailForm: "Enter the address our letter goes to, like name@example.org, or leave the name empty.",
  company: "Company",
  companyHint: "If a company gives: the receipt is made out to it.",
  taxId: "Its tax number",
  taxIdHint: "Where its receipts need one.",
  message: "A message to the organisation",
  anonymous: "Do not tell the organisation who I am",
  anonymousHint: "It can then thank you for the gift, but give you no official receipt for your taxes.",

  // Sending it.
  toPayment: "Continue to payment",
  checking:
    "Your browser is working out a small proof that nobody is trying stolen cards here. It takes some seconds, and you need do nothing.",
  noPlans: "Recurring gifts are not set up here yet. You can give once instead.",

  // Paying.
  giftTo: (gift: string, organization: string) => `${gift} to ${organization}`,
  feeIncluded: (fee: string) => `${fee} of it are for the payment fee, as you chose.`,
  donateButton: (gift: string) => `Donate ${gift}`,
  changeDetails: "Change the details",
  terms: "What you agree to",
  mandate: ({ organization, sum, each, next, isLate }: Mandate) => (
    <>
      By paying you allow {organization} to collect {sum} from this card or account {each}, the next time on {next}
      {isLate && ", in shorter months on the last day,"} until you end it.
    </>
  ),
  firstIsPaidNow: (sum: string) =>
    `The first ${sum} are paid now. Each gift gets its own receipt and its own entry in the public ledger.`,
  feeOfEach: (fee: string) =>
    `${fee} of it cover the payment fee; no more is ever added to a gift, and less where less will do.`,
  notice: "We write to you at least two days before a bank account is debited, and before each yearly gift.",
  changeAnyTime: (own: Link) => (
    <>
      Change the amount, skip, pause or end it at any time: by the link in each of our letters about it, or on{" "}
      {own("your recurring gifts")} with your e-mail address alone.
    </>
  ),

  // What became of it.
  yourDonation: "Your donation",
  notCompleted: "The payment was not completed, and no money was taken.",
  startAgain: "Start again",
  looking: "Looking for your donation…",
  confirming: "Confirming your payment…",
  thankYou: "Thank you!",
  notPaid: "Not paid",
  returned: {
    partially_refunded: "Refunded in part",
    refunded: "Refunded",
    disputed: "Disputed",
    charged_back: "Taken back",
  } as Readonly<Record<Returned, string>>,
  paymentFailed: "The payment did not go through, and no money was taken.",
  takesLonger: "This takes longer than usual. You can close the page: the receipt comes by e-mail.",
  lookAgain: "Look again",
  wentThrough: (gift: string) => `${gift} went through.`,
  awaiting: (gift: string) => `${gift}: waiting for the payment's confirmation…`,
  debitsTakeDays:
    "A card is confirmed within moments; a debit from your bank account takes days. You can close the page: the receipt comes by e-mail once the money has arrived, and not before.",
  booksCompared:
    "Our books take nothing just now: we compare them with the public ledger. If your bank has confirmed the payment, it is safe. You need not pay again, and can close the page: the receipt comes by e-mail.",
  beingWritten: "Being written into the public ledger…",
  waitsForCheckpoint: (index: number) => `Entry ${index}, waiting for the next checkpoint…`,
  inLedger: (index: number, size: number, entry: Link) => (
    <>In the public ledger for anyone to check: {entry(`entry ${index} in checkpoint ${size}`)}</>
  ),
  receiptOnItsWay: "Your receipt with the proof is on its way to you by e-mail.",
  receiptComes: "You can close the page: your receipt comes by e-mail, with the proof.",
  nextGift: (day: string, own: Link) => (
    <>
      The next gift is collected on {day}. You can change, pause or end it on {own("your recurring gifts")}, or by the
      link in our letters.
    </>
  ),
  partWentBack: (amount: string | null) => `${amount ?? "Some"} of it went back to you; the rest stays given.`,
  wentBack: (amount: string | null) => `${amount ?? "It"} went back to you.`,
  bankAsks: "The bank that paid it has asked for it back. Until that is decided, the money is held.",
  bankTook: "The bank that paid it has taken it back.",
  backTo: (site: string) => `Back to ${site}`,
  backWithoutGiving: (site: string) => `Back to ${site} without giving`,

  // One gift to several organisations.
  sharedTitle: "One gift to several organisations",
  organizationsLoading: "Loading the organisations…",
  onlyOne: "Only one organisation takes gifts here, so there is nobody to share a gift between.",
  amountInAll: (currency: string) => `Amount in all, in ${currency}`,
  toThese: "To these organisations",
  ownParts: "Choose each part myself",
  inAll: "In all:",
  remove: "Remove",
  removeOne: (organization: string) => `Remove ${organization}`,
  addOne: "Add an organisation",
  choose: "Choose…",
  chooseTwo: "Choose at least two organisations.",
  forEach: (sentence: string) => `For each organisation: ${sentence}`,
  about: (organization: string, sentence: string) => `${organization}: ${sentence}`,
  eachDirectly:
    "Each organisation receives its part directly: your statement shows one payment for each, and each sends its own receipt.",
  sumInAll: (sum: string) => `${sum} in all`,
  otherCardFor: "Another card for what failed",
  chargedForEach:
    "Your card is charged once for each organisation that is not paid yet, and forgotten afterwards. Its details go to Stripe alone; neither we nor this page see them.",
  payFailed: "Pay what failed",
  leaveIt: "Leave it as it is",
  confirmingGift: "Confirming your gift…",
  givenInPart: "Given in part",
  part: {
    arrived: "went through",
    waiting: "waiting for the payment's confirmation…",
    on_its_way: "on its way; a debit from a bank account takes days",
    open: "not confirmed yet",
    unanswered: "no answer yet; we ask again by ourselves",
    failed: "not paid, and nothing was taken",
  },
  partStands: (gift: string, how: string) => `${gift}: ${how}.`,
  itsEntry: "Its entry",
  receiptForEach: "A receipt for each part, with its proof, comes by e-mail.",
  partsUnderWay:
    "You can close the page. Nothing is ever taken twice, and a receipt for each part comes by e-mail once it has arrived.",
  whatFailed: ({ stays, failed, isOne }: Failed) =>
    (stays === null
      ? `The bank did not accept the payment, and nothing was taken for ${isOne ? "it" : "them"}. `
      : `${stays} of your gift stays given; it is not undone by what failed. The bank did not accept the other ${failed}, and nothing was taken for ${isOne ? "it" : "them"}. `) +
    "For a day you can try again, or enter another card: only what failed is then paid." +
    (stays === null ? "" : " Or leave it at that: there is nothing else you have to do."),
  otherCard: "Enter another card",
  sameCard: "Try again with the same card",
  payOpen: "Pay what is open",
  newGift: "Begin a new gift",

  /** By the problem's code; null: the API's own sentences, which are English. */
  faults: null as Readonly<Record<DonorFault, string>> | null,
};

export type Texts = typeof EN;
