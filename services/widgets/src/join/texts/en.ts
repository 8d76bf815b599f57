/** What `/join/` says, in English: a part of the table of people's pages. */
export const EN = {
  joinTitle: "Your invitation",
  noInvitation: "Open this page by the link in the invitation's letter, or ask whoever invited you for a new one.",
  invitationOver: "If you have used it already, your account shows the organisations you belong to.",
  invitedTo: (organization: string) => `Join ${organization}`,
  invitedBy: "Invited by",
  byPlatform: "those who run this platform",
  invitedAs: "As",
  invitedAddress: "For the address",
  invitedUntil: "Until",
  roleMeans: {
    owner: "You decide everything: members, keys, settings, money.",
    admin: "You look after members, keys and settings.",
    finance: "You see gifts with their donors, and payouts.",
    content: "You look after funds and pages.",
    viewer: "You see gifts and payouts, and change nothing.",
  } as Readonly<Record<string, string>>,
  makeAccount: "Make your account",
  makeAccountAbout: (email: string) =>
    `The letter has shown that ${email} is yours: choose a password, and you have an account.`,
  makeAndJoin: "Make the account and join",
  signInToJoin: "Sign in to join",
  hasAccount: (email: string) => `${email} has an account here.`,
  accept: (organization: string) => `Join ${organization}`,
  anotherAddress: (email: string, own: string) =>
    `This invitation is for ${email}, and you are signed in as ${own}. Sign out first, then go on with the right address.`,
  decline: "Decline",
  declineAsked: "Nobody can join by this invitation any more, and your address is forgotten with it.",
  declineNow: "Decline the invitation",
  declined: "You have declined. Nothing else will happen.",
  joined: (organization: string) => `You have joined ${organization}.`,
};

export type JoinTexts = typeof EN;
