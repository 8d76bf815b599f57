import { EN as INTEGRATE_EN } from "../../integrate/texts/en";
import { EN as JOIN_EN } from "../../join/texts/en";
import { EN as KEYS_EN } from "../../keys/texts/en";
import { EN as ORGANIZATION_EN } from "../../organization/texts/en";
import { EN as SIGN_IN_EN } from "../../sign_in/texts/en";
import { EN as WEBHOOKS_EN } from "../../webhooks/texts/en";

/** The API's problems that people's pages word themselves in other languages, by their codes. */
export type PersonFault =
  | "account_exists"
  | "address_not_acceptable"
  | "amount_not_acceptable"
  | "authentication_required"
  | "bad_request"
  | "changed_meanwhile"
  | "confirmation_required"
  | "country_not_admitted"
  | "credential_not_valid"
  | "currency_not_supported"
  | "cursor_not_acceptable"
  | "delivery_not_found"
  | "directory_token_not_found"
  | "domain_not_acceptable"
  | "domain_not_found"
  | "domain_not_shown"
  | "domain_taken"
  | "donation_not_found"
  | "donation_not_refundable"
  | "endpoint_disabled"
  | "endpoint_not_acceptable"
  | "endpoint_not_found"
  | "endpoint_taken"
  | "factor_exists"
  | "factor_missing"
  | "factor_refused"
  | "fund_not_acceptable"
  | "fund_not_found"
  | "fund_of_project"
  | "fund_taken"
  | "idempotency_key_missing"
  | "idempotency_key_reused"
  | "identity_not_found"
  | "identity_taken"
  | "if_match_missing"
  | "image_not_acceptable"
  | "image_not_found"
  | "image_not_there"
  | "images_not_yet"
  | "invalid_request"
  | "invitation_for_another_address"
  | "key_not_acceptable"
  | "key_not_found"
  | "last_owner"
  | "last_way_in"
  | "ledger_reversal_exceeds_original"
  | "letter_link_not_valid"
  | "member_invitation_link_not_valid"
  | "member_invitation_not_valid"
  | "no_role_here"
  | "not_allowed"
  | "organization_not_acceptable"
  | "organization_not_found"
  | "parameter_not_known"
  | "passkey_not_found"
  | "password_not_acceptable"
  | "project_not_found"
  | "project_over"
  | "provider_address_not_verified"
  | "provider_not_found"
  | "provider_refused"
  | "rate_limit_exceeded"
  | "receipt_settings_not_acceptable"
  | "refund_amount_not_acceptable"
  | "refund_not_finished"
  | "refund_not_found"
  | "replay_not_acceptable"
  | "request_from_elsewhere"
  | "request_timeout"
  | "request_too_large"
  | "return_origin_not_acceptable"
  | "session_not_found"
  | "session_not_valid"
  | "sign_in_by_organisation"
  | "sign_in_not_acceptable"
  | "sign_in_not_set_up"
  | "sign_in_not_tried"
  | "sign_in_refused"
  | "too_many_directory_tokens"
  | "too_many_domains"
  | "too_many_endpoints"
  | "too_many_identities"
  | "too_many_images"
  | "too_many_keys"
  | "too_many_passkeys"
  | "too_many_return_origins"
  | "too_many_test_organisations"
  | "visibility_not_acceptable";

/** Everything that the pages of people who sign in say, in English. The other languages have the same, which the compiler holds. */
export const EN = {
  faults: null as Readonly<Record<PersonFault, string>> | null,
  skipLink: "Skip to the next step",
  loading: "Loading…",
  accountTitle: "Your account",
  toAccount: "To your account",
  leaveIt: "Leave it as it is",

  // Signing in.
  email: "E-mail address",
  password: "Password",
  newPassword: "New password",
  passwordHint: "12 characters or more, of any kind.",
  code: "Code of your app, or a recovery code",
  signIn: "Sign in",
  signInWithPasskey: "Sign in with a passkey",
  goOn: "Go on",
  noPasskeyUsed: "No passkey was used: try again, or go on another way.",
  signInWith: (name: string) => `Sign in with ${name}`,
  signInByOrganization: "Sign in by your organisation",
  organizationEmail: "Your e-mail address at the organisation",
  organizationEmailHint: "What stands behind the @ says whose sign-in it is.",
  leavingFor: (name: string) => `On the way to ${name}…`,
  finishing: "One moment: we ask the provider who you are…",
  noOwnSignIn: "No organisation signs people in by this address: check it, or sign in another way.",
  providerAway: "The provider does not answer: try again in a minute, or sign in another way.",
  outsideDeclined: "You did not go on at the provider: try again, or sign in another way.",
  outsideFailed: "The provider did not sign you in: try again, or sign in another way.",
  linkTitle: "This address has an account already",
  linkIntro: "Show once that it is yours. From then on the provider signs you in to it, and a letter tells you so.",
  linkAndSignIn: "Link and sign in",
  linkCodeHint: "Your account asks for it besides the password.",
  providerLinked: "The provider signs you in from now on.",

  // By letter.
  register: "Ask for an account",
  forgotten: "I forgot my password",
  askForPassword: "Ask for a new password",
  letterSent: "A letter is on its way to this address; it says what to do next.",
  chosenPassword: "The password you chose",
  openAccount: "Open the account",
  accountOpen: "Your account is open: sign in.",
  usePassword: "Use this password",
  passwordChangedSignIn: "Your password is changed: sign in with it.",
  useAddress: "Use this address",
  addressChangedSignIn: "Your address is changed: sign in with it.",

  // Showing once more that it is them.
  signedInAs: (email: string) => `You are signed in as ${email}.`,
  confirmTitle: "Confirm that it is you",
  confirmIntro: "For this, show once more that it is you. It counts for ten minutes.",
  confirm: "Confirm",
  confirmWithPasskey: "Confirm with a passkey",

  // Organisations.
  organizations: "Your organisations",
  noOrganizations: "You belong to none yet. An invitation by letter leads into one.",
  roles: {
    owner: "owner",
    admin: "administrator",
    finance: "finance",
    content: "content",
    viewer: "may look",
  } as Readonly<Record<string, string>>,
  keysOf: "API keys",
  dataOf: "Data",
  leave: "Leave",
  leaveAsked: (organization: string) => `You will not see ${organization} any more, until somebody invites you again.`,
  leaveNow: (organization: string) => `Leave ${organization}`,
  left: (organization: string) => `You have left ${organization}.`,

  // Second factors.
  passkeys: "Passkeys",
  passkeysAbout: "A passkey on your telephone, computer or security key signs you in without a password.",
  passkey: "Passkey",
  madeOn: (day: string) => `made on ${day}`,
  addPasskey: "Add a passkey",
  takeAway: "Take away",
  passkeyAdded: "The passkey is added.",
  passkeyGone: "The passkey is taken away.",
  app: "Codes of an app",
  appAbout: "An app on your telephone shows a new code every half minute, which is asked for after your password.",
  appIsUsed: "An app is asked for after your password.",
  setUpApp: "Set up an app",
  scanTitle: "Scan this with your app",
  scanIntro: "Or type the secret into it. Then enter what it shows: before that, the app counts for nothing.",
  qrCode: "QR code with the secret for your app",
  secret: "Secret",
  appCode: "The six digits that the app shows",
  useApp: "Use this app",
  appAdded: "Your app is asked for from now on.",
  removeApp: "Take the app away",
  appGone: "The app is taken away.",
  codesLeft: (left: number) => (left === 1 ? "1 recovery code is left." : `${left} recovery codes are left.`),
  newCodes: "Make new recovery codes",
  codesTitle: "Your recovery codes",
  codesAbout:
    "Keep them where you find them without this device. Each works once in place of your second factor, and they are shown only now.",
  copy: "Copy",
  copied: "Copied.",
  notCopied: "Your browser did not allow copying: mark the text and copy it by hand.",
  download: "Download",
  codesFile: "amply-recovery-codes.txt",
  codesKept: "I have kept them",

  // Providers.
  providers: "Providers that sign you in",
  providersAbout:
    "Whoever has your account there gets in here without your password. A second factor is still asked for, except by your organisation's own sign-in.",
  linkedOn: (day: string) => `linked on ${day}`,
  formerProvider: "A provider that is offered no more",
  linkWith: (name: string) => `Link with ${name}`,
  providerGone: "That provider signs you in no more. Wherever else you were signed in, you are not any more.",

  // Password and address.
  passwordAndAddress: "Password and address",
  changePassword: "Change the password",
  presentPassword: "Your present password",
  passwordChanged: "Your password is changed. Wherever else you were signed in, you are not any more.",
  changeAddress: "Change the e-mail address",
  newAddress: "New e-mail address",
  addressAbout: "We write to the new address. Until you use the link in that letter, nothing changes.",
  askAddress: "Write to the new address",

  // Sessions.
  sessions: "Where you are signed in",
  sessionUsed: (device: string, moment: string) => `${device}, last used ${moment}`,
  thisOne: "(this one)",
  end: "End",
  sessionEnded: "That session has ended.",
  signOut: "Sign out",
  signOutEverywhere: "Sign out everywhere",
  heldTo: "Where a session may be used from",
  heldToAbout:
    "Used from elsewhere, it ends, and you sign in again: on the way this happens often with the address, and less often with the network.",
  bindings: {
    none: "from everywhere",
    subnet: "from the network that you signed in from",
    strict: "from the address that you signed in from",
  },
  holdSessions: "Change this",
  holdSessionsAbout: "It counts for sessions that begin from now on. Those there are end, this one too: sign in again.",
  holdSessionsNow: "Change it and sign out everywhere",
  sessionsHeld: "It is changed: sign in again.",

  // The end.
  deletion: "Delete the account",
  deletionAbout:
    "Your address, password, passkeys and sessions are deleted at once, and you leave your organisations. Gifts you made stay, and so does your page of them. It cannot be undone.",
  deleteAccount: "Delete my account",
  deleteNow: "Delete it for ever",
  deleted: "Your account is deleted. A last letter tells you so.",

  ...JOIN_EN,
  ...KEYS_EN,
  ...SIGN_IN_EN,
  ...INTEGRATE_EN,
  ...ORGANIZATION_EN,
  ...WEBHOOKS_EN,
};

export type Texts = typeof EN;
