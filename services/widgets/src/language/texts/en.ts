import { OWN_FAULTS, type OwnFault } from "../../site/http";

/** What every page in several languages says, in English. The other languages have the same, which the compiler holds. */
export const EN = {
  language: "Language",
  testMode: "Test mode: no real money moves.",
  oneMoment: "One moment…",
  tryAgain: "Try again",

  // The payment form, which is Stripe's.
  cardHint: "Your card details go to Stripe alone; neither we nor this page see them.",
  formLoading: "Loading the payment form…",
  declined:
    "Your bank did not accept this payment, and no money was taken. Try another card, or ask your bank for the reason.",
  paymentEnded: "This payment cannot be tried any more, and no money was taken. Please reload the page to start again.",
  notAccepted: "The payment was not accepted. Please try another way to pay.",

  // Amounts that are typed.
  amountMissing: "Enter the amount you want to give.",
  amountForm: "Write the amount in digits, like 25.",
  amountDecimals: (zeros: string) => `Write the amount in digits, like 25 or 25.${zeros}.`,
  amountZero: "The amount must be more than zero.",
  amountTooLarge: "That amount is too large to give online.",
  currencyNotTaken: (currency: string, taken: string) =>
    `Gifts are not taken in ${currency}: use a link with one of ${taken}.`,
  amountLimits: (least: string, most: string) => `Give at least ${least} and at most ${most}.`,
  amountSteps: (step: string, below: string, above: string) =>
    `Give in steps of ${step}, such as ${below} or ${above}.`,

  /** What the pages themselves say of requests. */
  own: OWN_FAULTS as Readonly<Record<OwnFault, string>>,
  /** For everything else; null: the API's own sentence. */
  fault: null as string | null,
};

export type CommonTexts = typeof EN;
