/** What `/integrate/` says, in English: a part of the table of people's pages. */
export const EN = {
  integrateTitle: "Try the API",
  integrateAbout:
    "You get a test organisation of your own with an API key, and take a gift with a test card. No real money moves, and nobody has to be asked.",
  integrateElsewhere: "Gifts are real here: test organisations are made in a sandbox.",
  integrateAccount: "For this you need an account: sign in, or ask for one.",
  integrateName: "Name of the test organisation",
  integrateNote:
    "At most three a day. Its test account at Stripe is opened with your e-mail address, and we write to you how it stands. What is in a sandbox can be wiped any day.",
  integrateMake: "Make a test organisation",
  integrateWaiting: "Stripe is opening its test account…",
  integrateReady: "It takes gifts.",
  integrateNotYet:
    "Stripe still asks something before it takes gifts: the link is in the letter that we wrote to you. With test data it is a matter of minutes.",
  integrateCommands: "Your first gift",
  integrateShell: "For a shell with curl and jq. The key in it is shown only now.",
  integrateSteps: [
    "1. Take the gift by your key",
    "2. Pay it with a test card, as a browser would",
    "3. See how it stands",
  ] as readonly [string, string, string],
  integrateVerify:
    "A few seconds later its status is “succeeded”, and “ledger” says where it stands in the public ledger, where anyone can check it:",
  integrateLedger: "The public ledger",
  integrateKeys: "Its API keys",
};

export type IntegrateTexts = typeof EN;
