/** Everything the donors' page says, in English. The other languages have the same, which the compiler holds. */
export const EN = {
  title: "Your gifts",
  skipLink: "Skip to your gifts",
  loading: "Loading your gifts…",
  nothing: "No gifts belong to this address.",
  forget: "Forget the link on this device",
  leave: "Leave it as it is",

  // Asking for a link.
  askIntro: "Enter the e-mail address you give with. We send a link to your gifts there; you need no password.",
  email: "Your e-mail address",
  emailFault: "Write the e-mail address like name@example.org.",
  askButton: "Send me a link",
  asked: "If gifts belong to this address, a link to them is on its way there. It works for seven days.",

  // Gifts.
  gifts: "Gifts",
  older: "Show older gifts",
  fund: (name: string) => `For ${name}`,
  recurringGift: "Recurring gift",
  splitGift: "Part of a gift to several organisations",
  offline: { cash: "In cash", cheque: "By cheque", bank_transfer: "By bank transfer", in_kind: "In kind" } as Readonly<
    Record<string, string>
  >,
  standing: {
    processing: "On its way: the bank takes some days",
    failed: "Did not arrive: the bank sent it back",
    refunded: "Given back",
    partially_refunded: "Partly given back",
    disputed: "Your bank is asking for it back",
    charged_back: "Taken back by your bank",
    reversed: "Taken out of the books: it had been recorded wrongly",
  } as Readonly<Record<string, string>>,
  givenBack: (amount: string) => `${amount} of it went back.`,
  more: "Receipts and privacy",

  // Receipts.
  receipts: "Receipts",
  noReceipt: "The receipt follows by e-mail once the public ledger covers this gift.",
  receiptState: {
    valid: "",
    replaced: "void, replaced by a newer one",
    cancelled: "void, the gift went back",
  } as Readonly<Record<string, string>>,
  downloadReceipt: (number: string) => `Receipt ${number} (PDF)`,
  downloadProof: "Proof for the public ledger",
  resend: "Send the receipt by e-mail again",
  resent: "The receipt is on its way to your e-mail address.",
  documentFailed: "It could not be made just now. Please try again later.",
  documentDone: (name: string) => `${name} is in your downloads.`,

  // Who is told.
  whoIsTold: "Who may be told your name?",
  anonymity: {
    none: "Everybody: I may be named in public",
    public: "The organisation alone",
    organization: "Nobody, not even the organisation",
  },
  anonymityNote:
    "It counts from now on. What was handed out before cannot be called back. The public ledger names nobody in any case.",
  anonymitySave: "Save who is told",
  anonymitySaved: "Saved.",

  // Sharing facts of gifts.
  sharing: "Facts of your gifts for statistics",
  sharingExtent: {
    none: "Nothing of your gifts is shared.",
    ticked: "Facts of the gifts whose box you ticked are shared.",
    all: "Facts of all your gifts are shared.",
  } as Readonly<Record<string, string>>,
  sharingGive: "Share facts of all my gifts",
  sharingWithdraw: "Share nothing any more",
  sharingGiven: "Saved: facts of all your gifts may be shared.",
  sharingWithdrawn: "Saved: the next release is made without you.",

  // Statements.
  statements: "Yearly statements",
  statement: (year: string) => `Statement ${year} (PDF)`,

  // Recurring gifts.
  plan: (organization: string) => `Recurring gifts to ${organization}`,
  every: { month: "each month", quarter: "each quarter", year: "each year" } as Readonly<Record<string, string>>,
  period: {
    paid: "given",
    skipped: "skipped",
    open: "being collected",
    waiting: "on its way",
    giving_up: "not collected",
    given_up: "not collected",
  } as Readonly<Record<string, string>>,
  periods: "What was collected so far",
  ended: "This has ended; nothing more is collected.",
  behind: "The last one could not be collected yet.",
  paused: "It is paused; nothing is collected.",
  contested:
    "It is paused, since your bank was asked to take a gift back; nothing is collected. Once that is settled, you can let it go on.",
  next: (day: string) => `The next one is on ${day}.`,
  paidByCard: (last4: string) => `It is paid by the card ending in ${last4}.`,
  paidByAccount: (last4: string) => `It is paid by the bank account ending in ${last4}.`,
  payNow: "Pay now",
  resume: "Resume",
  changeAmount: "Change the amount",
  skip: "Skip the next one",
  pause: "Pause",
  anotherCard: "Another card or account",
  end: "End",
  about: (action: string, organization: string) => `${action}: gifts to ${organization}`,
  amountLabel: (currency: string) => `Amount in ${currency}, from the next gift on`,
  amountSave: "Save the amount",
  pauseLabel: "The day your gifts go on",
  pauseHint: "Leave it empty to pause until you resume.",
  endWarning: "Nothing more will be collected. This cannot be undone; you can begin new gifts whenever you like.",
  endButton: "End these gifts",
  store: "Store it for my gifts",

  /** By the problem's code; in English the API's own sentences do. */
  faults: {} as Readonly<Record<string, string>>,
};

export type Texts = typeof EN;
