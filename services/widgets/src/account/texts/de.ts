import { DE as INTEGRATE_DE } from "../../integrate/texts/de";
import { DE as JOIN_DE } from "../../join/texts/de";
import { DE as KEYS_DE } from "../../keys/texts/de";
import { DE as ORGANIZATION_DE } from "../../organization/texts/de";
import { DE as SIGN_IN_DE } from "../../sign_in/texts/de";
import { DE as WEBHOOKS_DE } from "../../webhooks/texts/de";
import type { PersonFault, Texts } from "./en";

const SIGN_IN = "Bitte melden Sie sich an.";
const RELOAD = "Die Anfrage kam nicht richtig an. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.";

const FAULTS: Readonly<Record<PersonFault, string>> = {
  account_exists: "Diese Adresse hat schon ein Konto: Melden Sie sich mit ihr an.",
  address_not_acceptable: "Schreiben Sie die E-Mail-Adresse wie name@example.org.",
  amount_not_acceptable: "Schreiben Sie den Betrag in Ziffern.",
  authentication_required: SIGN_IN,
  bad_request: RELOAD,
  changed_meanwhile: "Das hat inzwischen jemand geändert: Laden Sie die Seite neu, und entscheiden Sie noch einmal.",
  confirmation_required: "Bestätigen Sie zuerst, dass Sie es sind, und versuchen Sie es dann noch einmal.",
  country_not_admitted: "Stripe nimmt für Organisationen dieses Landes keine Spenden an.",
  credential_not_valid: SIGN_IN,
  currency_not_supported: "Diese Währung gibt es hier nicht: Wählen Sie eine andere.",
  cursor_not_acceptable: RELOAD,
  delivery_not_found: "Dieses Ereignis steht nicht mehr in der Liste: Laden Sie die Seite neu.",
  directory_token_not_found: "Diesen Token gibt es nicht mehr: Laden Sie die Seite neu.",
  domain_not_acceptable: "Schreiben Sie die Domain wie verein.example.",
  domain_not_found: "Diese Domain steht nicht mehr in der Liste: Laden Sie die Seite neu.",
  domain_not_shown:
    "Der Eintrag ist im DNS noch nicht zu sehen: Prüfen Sie Name und Text, warten Sie, bis er verbreitet ist, und lassen Sie noch einmal nachsehen.",
  domain_taken:
    "Eine andere Organisation hat gezeigt, dass diese Domain ihre ist: Klären Sie es mit ihr, oder schreiben Sie uns.",
  donation_not_found: "Diese Spende gibt es nicht: Laden Sie die Seite neu.",
  donation_not_refundable:
    "Von dieser Spende kann hier nichts zurückgehen: Laden Sie die Seite neu und sehen Sie, wie sie steht. Ist die Spenderin oder der Spender gelöscht, erstatten Sie auf dem Dashboard von Stripe; streitet die Bank darum, beantworten Sie das dort.",
  endpoint_disabled: "Dieser Endpunkt ist angehalten: Setzen Sie ihn zuerst fort.",
  endpoint_not_acceptable:
    "Schreiben Sie eine Adresse mit https:// im öffentlichen Internet, ohne Port, und die Beschreibung in höchstens 200 Zeichen.",
  endpoint_not_found: "Diesen Endpunkt gibt es nicht mehr: Laden Sie die Seite neu.",
  endpoint_taken: "Ein anderer Endpunkt hat diese Adresse schon: Ändern Sie ihn, oder schreiben Sie eine andere.",
  factor_exists: "Eine App ist schon eingerichtet: Nehmen Sie sie zuerst weg.",
  factor_missing: "Richten Sie zuerst eine App oder einen Passkey ein.",
  factor_refused:
    "Dieser Code oder Passkey wurde nicht angenommen: Versuchen Sie es mit dem nächsten Code oder einem Wiederherstellungscode.",
  fund_not_acceptable: "Schreiben Sie als Namen 1 bis 100 Zeichen ohne Steuerzeichen.",
  fund_not_found: "Diesen Fonds gibt es nicht: Laden Sie die Seite neu.",
  fund_of_project:
    "Dieser Fonds gehört jetzt zu einem Projekt und heißt wie dieses: Laden Sie die Seite neu, und benennen Sie das Projekt um.",
  fund_taken:
    "Der Name geht nicht: Etwas von Ihnen heißt schon so, unter dem jetzigen wurde schon gespendet, oder es gibt schon 200 Fonds.",
  idempotency_key_missing: RELOAD,
  idempotency_key_reused:
    "Das wurde schon einmal anders abgeschickt: Laden Sie die Seite neu und sehen Sie, was zurückgegangen ist.",
  identity_not_found: "Dieser Anbieter meldet Sie nicht mehr an: Laden Sie die Seite neu.",
  identity_taken: "Dieser Anbieter ist mit einem anderen Konto verknüpft: Melden Sie sich stattdessen mit ihm an.",
  if_match_missing: RELOAD,
  image_not_acceptable:
    "Prüfen Sie die Datei und was das Bild zeigt: PNG, JPEG oder WebP, und in jeder Sprache eine Zeile von höchstens 250 Zeichen.",
  image_not_found: "Dieses Bild gibt es nicht mehr: Laden Sie die Seite neu.",
  image_not_there: "Die Datei kam nicht rechtzeitig an: Senden Sie sie noch einmal.",
  images_not_yet: "Warten Sie, bis Ihre Organisation geprüft ist, und senden Sie dann ihre Bilder.",
  invalid_request: "Prüfen Sie Ihre Angaben und versuchen Sie es noch einmal.",
  invitation_for_another_address:
    "Die Einladung ist für eine andere Adresse: Melden Sie sich mit der an, an die der Brief ging.",
  key_not_acceptable: "Geben Sie dem Schlüssel einen kurzen Namen, etwa „unsere Website“.",
  key_not_found: "Diesen Schlüssel gibt es nicht mehr: Laden Sie die Seite neu.",
  last_owner: "Eine Organisation behält eine Inhaberin oder einen Inhaber: Bieten Sie das zuerst jemand anderem an.",
  last_way_in:
    "Das ist Ihr letzter Weg, sich anzumelden: Wählen Sie zuerst ein Passwort, oder fügen Sie einen Passkey hinzu.",
  ledger_reversal_exceeds_original:
    "Mehr, als von der Spende übrig ist, kann nicht zurückgehen: Schreiben Sie einen kleineren Betrag.",
  letter_link_not_valid:
    "Dieser Link wurde schon verwendet oder ist zu alt: Melden Sie sich an, oder fordern Sie einen neuen an.",
  member_invitation_link_not_valid:
    "Diese Einladung wurde angenommen oder zurückgezogen, oder sie ist zu alt: Bitten Sie um eine neue.",
  member_invitation_not_valid:
    "Diese Einladung ist vorbei oder für eine andere Adresse: Melden Sie sich mit der an, an die der Brief ging, oder bitten Sie um eine neue.",
  no_role_here: "Ihre Organisation gibt Ihnen hier keine Rolle: Fragen Sie, wer dort die Anmeldung verwaltet.",
  not_allowed: "Ihre Rolle erlaubt das nicht: Fragen Sie jemanden, der die Organisation verwaltet.",
  organization_not_acceptable:
    "Prüfen Sie Name, Website und Texte: Die Website beginnt mit https://, der Name hat 1 bis 200 Zeichen, und Steuerzeichen gehen nicht.",
  organization_not_found: "Diese Organisation gibt es nicht, oder Sie gehören nicht zu ihr.",
  parameter_not_known: RELOAD,
  passkey_not_found: "Diesen Passkey gibt es nicht mehr: Laden Sie die Seite neu.",
  password_not_acceptable:
    "Wählen Sie ein anderes Passwort: mit 12 bis 128 Zeichen, nicht Ihre Adresse, und keines aus den Listen, die Angreifer versuchen.",
  project_not_found: "Dieses Projekt gibt es nicht: Laden Sie die Seite neu.",
  project_over: "Dieses Projekt ist zu Ende: Beginnen Sie ein neues.",
  provider_address_not_verified:
    "Der Anbieter bürgt nicht für Ihre E-Mail-Adresse: Bestätigen Sie sie zuerst dort, oder melden Sie sich anders an.",
  provider_not_found: "Diesen Anbieter gibt es hier nicht mehr: Melden Sie sich anders an.",
  provider_refused:
    "Diese Anmeldung wurde nicht angenommen: Vielleicht war sie schon beendet, hat zu lange gedauert oder in einem anderen Browser begonnen. Beginnen Sie noch einmal.",
  rate_limit_exceeded: "Das waren viele Versuche: Warten Sie einige Minuten, und versuchen Sie es dann noch einmal.",
  receipt_settings_not_acceptable: "Prüfen Sie, was in diesem Feld steht: So geht es nicht auf Belege.",
  refund_amount_not_acceptable: "Schreiben Sie einen Betrag über null in der Währung der Spende.",
  refund_not_finished: "Eine frühere Erstattung dieser Spende ist noch nicht ausgeführt: Warten Sie, bis sie es ist.",
  refund_not_found: "Diese Erstattung gibt es nicht: Laden Sie die Seite neu.",
  replay_not_acceptable:
    "So viel lässt sich nicht auf einmal noch einmal senden: Wählen Sie einen späteren Zeitpunkt, oder laden Sie die Seite neu.",
  request_from_elsewhere:
    "Diese Anfrage kam nicht von unseren eigenen Seiten. Öffnen Sie die Seite unter ihrer eigenen Adresse.",
  request_timeout: RELOAD,
  request_too_large: RELOAD,
  return_origin_not_acceptable:
    "Schreiben Sie jede Website zum Zurückkehren in eine eigene Zeile: https:// und ihren Namen, ohne etwas dahinter.",
  session_not_found: "Diese Sitzung ist schon beendet.",
  session_not_valid: SIGN_IN,
  sign_in_by_organisation:
    "Ihre Organisation meldet Sie an: Wählen Sie auf der Seite Ihres Kontos „Über Ihre Organisation anmelden“.",
  sign_in_not_acceptable:
    "Prüfen Sie den Aussteller, der mit https:// beginnt, das Geheimnis und die Gruppen: So lässt sich die Anmeldung nicht einrichten.",
  sign_in_not_set_up: "Richten Sie zuerst die Anmeldung Ihrer Organisation ein.",
  sign_in_not_tried:
    "Zeigen Sie zuerst eine Domain, und melden Sie sich einmal über Ihren Anbieter an: Erst dann lässt sich das vorschreiben.",
  sign_in_refused: "Prüfen Sie E-Mail-Adresse und Passwort, oder fordern Sie ein neues Passwort an.",
  too_many_directory_tokens:
    "Zwei Tokens gelten schon: Widerrufen Sie zuerst den, den Ihr Verzeichnis nicht mehr verwendet.",
  too_many_domains: "Mehr Domains kann es nicht geben: Nehmen Sie zuerst eine weg.",
  too_many_endpoints: "Fünf Endpunkte sind schon da: Entfernen Sie zuerst einen, den Sie nicht mehr brauchen.",
  too_many_identities: "Mehr Anbieter kann es nicht geben: Nehmen Sie zuerst einen weg.",
  too_many_images: "Zehn Bilder sind schon da: Nehmen Sie zuerst eines weg.",
  too_many_keys: "So viele Schlüssel kann es nicht geben: Widerrufen Sie zuerst einen.",
  too_many_passkeys: "So viele Passkeys kann es nicht geben: Nehmen Sie zuerst einen weg.",
  too_many_return_origins: "So viele Websites zum Zurückkehren kann es nicht geben: Nehmen Sie zuerst eine weg.",
  too_many_test_organisations:
    "Heute wurden schon so viele Testorganisationen angelegt, wie es geben darf: Verwenden Sie eine davon, oder warten Sie bis morgen.",
  visibility_not_acceptable:
    "Prüfen Sie, was die Seiten des Kassenbuchs zeigen sollen: Eine Zahl gehört zu „verzögert“ und zu „in Summen“, und nur dazu.",
};

export const DE: Texts = {
  faults: FAULTS,
  skipLink: "Zum nächsten Schritt",
  loading: "Wird geladen …",
  accountTitle: "Ihr Konto",
  toAccount: "Zu Ihrem Konto",
  leaveIt: "So lassen, wie es ist",

  email: "E-Mail-Adresse",
  password: "Passwort",
  newPassword: "Neues Passwort",
  passwordHint: "12 Zeichen oder mehr, beliebige.",
  code: "Code Ihrer App oder ein Wiederherstellungscode",
  signIn: "Anmelden",
  signInWithPasskey: "Mit einem Passkey anmelden",
  goOn: "Weiter",
  noPasskeyUsed: "Es wurde kein Passkey verwendet: Versuchen Sie es noch einmal, oder gehen Sie anders weiter.",
  signInWith: (name) => `Mit ${name} anmelden`,
  signInByOrganization: "Über Ihre Organisation anmelden",
  organizationEmail: "Ihre E-Mail-Adresse bei der Organisation",
  organizationEmailHint: "Was hinter dem @ steht, sagt, wessen Anmeldung es ist.",
  leavingFor: (name) => `Auf dem Weg zu ${name} …`,
  finishing: "Einen Moment: Wir fragen den Anbieter, wer Sie sind …",
  noOwnSignIn:
    "Keine Organisation meldet Menschen mit dieser Adresse an: Prüfen Sie sie, oder melden Sie sich anders an.",
  providerAway:
    "Der Anbieter antwortet nicht: Versuchen Sie es in einer Minute noch einmal, oder melden Sie sich anders an.",
  outsideDeclined:
    "Sie haben die Anmeldung beim Anbieter nicht fortgesetzt: Versuchen Sie es noch einmal, oder melden Sie sich anders an.",
  outsideFailed: "Der Anbieter hat Sie nicht angemeldet: Versuchen Sie es noch einmal, oder melden Sie sich anders an.",
  linkTitle: "Diese Adresse hat schon ein Konto",
  linkIntro:
    "Zeigen Sie einmal, dass es Ihres ist. Von da an meldet der Anbieter Sie in ihm an, und ein Brief sagt es Ihnen.",
  linkAndSignIn: "Verknüpfen und anmelden",
  linkCodeHint: "Ihr Konto fragt danach außer nach dem Passwort.",
  providerLinked: "Von jetzt an können Sie sich mit diesem Anbieter anmelden.",

  register: "Ein Konto anfordern",
  forgotten: "Ich habe mein Passwort vergessen",
  askForPassword: "Ein neues Passwort anfordern",
  letterSent: "Ein Brief ist unterwegs an diese Adresse; er sagt, wie es weitergeht.",
  chosenPassword: "Das Passwort, das Sie gewählt haben",
  openAccount: "Das Konto öffnen",
  accountOpen: "Ihr Konto ist offen: Melden Sie sich an.",
  usePassword: "Dieses Passwort verwenden",
  passwordChangedSignIn: "Ihr Passwort ist geändert: Melden Sie sich mit ihm an.",
  useAddress: "Diese Adresse verwenden",
  addressChangedSignIn: "Ihre Adresse ist geändert: Melden Sie sich mit ihr an.",

  signedInAs: (email) => `Sie sind als ${email} angemeldet.`,
  confirmTitle: "Bestätigen Sie, dass Sie es sind",
  confirmIntro: "Zeigen Sie dafür noch einmal, dass Sie es sind. Das gilt zehn Minuten.",
  confirm: "Bestätigen",
  confirmWithPasskey: "Mit einem Passkey bestätigen",

  organizations: "Ihre Organisationen",
  noOrganizations: "Sie gehören noch zu keiner. Eine Einladung per Brief führt in eine.",
  roles: {
    owner: "Inhaberin oder Inhaber",
    admin: "Verwaltung",
    finance: "Finanzen",
    content: "Inhalte",
    viewer: "Lesezugang",
  },
  keysOf: "API-Schlüssel",
  dataOf: "Daten",
  leave: "Verlassen",
  leaveAsked: (organization) => `Sie sehen ${organization} dann nicht mehr, bis Sie wieder jemand einlädt.`,
  leaveNow: (organization) => `${organization} verlassen`,
  left: (organization) => `Sie haben ${organization} verlassen.`,

  passkeys: "Passkeys",
  passkeysAbout: "Mit einem Passkey auf Telefon, Computer oder Sicherheitsschlüssel melden Sie sich ohne Passwort an.",
  passkey: "Passkey",
  madeOn: (day) => `angelegt am ${day}`,
  addPasskey: "Einen Passkey hinzufügen",
  takeAway: "Wegnehmen",
  passkeyAdded: "Der Passkey ist hinzugefügt.",
  passkeyGone: "Der Passkey ist weggenommen.",
  app: "Codes einer App",
  appAbout:
    "Eine App auf Ihrem Telefon zeigt jede halbe Minute einen neuen Code, nach dem Sie nach dem Passwort gefragt werden.",
  appIsUsed: "Nach Ihrem Passwort werden Sie nach einer App gefragt.",
  setUpApp: "Eine App einrichten",
  scanTitle: "Lesen Sie das mit Ihrer App ein",
  scanIntro: "Oder tippen Sie das Geheimnis in sie ein. Geben Sie dann ein, was sie zeigt: Vorher zählt die App nicht.",
  qrCode: "QR-Code mit dem Geheimnis für Ihre App",
  secret: "Geheimnis",
  appCode: "Die sechs Ziffern, die die App zeigt",
  useApp: "Diese App verwenden",
  appAdded: "Von jetzt an werden Sie nach Ihrer App gefragt.",
  removeApp: "Die App wegnehmen",
  appGone: "Die App ist weggenommen.",
  codesLeft: (left) =>
    left === 1 ? "1 Wiederherstellungscode ist übrig." : `${left} Wiederherstellungscodes sind übrig.`,
  newCodes: "Neue Wiederherstellungscodes",
  codesTitle: "Ihre Wiederherstellungscodes",
  codesAbout:
    "Bewahren Sie sie dort auf, wo Sie sie ohne dieses Gerät finden. Jeder gilt einmal anstelle Ihres zweiten Faktors, und sie werden nur jetzt gezeigt.",
  copy: "Kopieren",
  copied: "Kopiert.",
  notCopied: "Ihr Browser hat das Kopieren nicht erlaubt: Markieren Sie den Text, und kopieren Sie ihn von Hand.",
  download: "Herunterladen",
  codesFile: "amply-wiederherstellungscodes.txt",
  codesKept: "Ich habe sie aufbewahrt",

  providers: "Anbieter, die Sie anmelden",
  providersAbout:
    "Wer dort Ihr Konto hat, kommt hier ohne Ihr Passwort hinein. Nach einem zweiten Faktor wird weiterhin gefragt, außer bei der Anmeldung Ihrer Organisation.",
  linkedOn: (day) => `verknüpft am ${day}`,
  formerProvider: "Ein Anbieter, den es hier nicht mehr gibt",
  linkWith: (name) => `Mit ${name} verknüpfen`,
  providerGone: "Dieser Anbieter meldet Sie nicht mehr an. Wo Sie sonst angemeldet waren, sind Sie es nicht mehr.",

  passwordAndAddress: "Passwort und Adresse",
  changePassword: "Das Passwort ändern",
  presentPassword: "Ihr jetziges Passwort",
  passwordChanged: "Ihr Passwort ist geändert. Wo Sie sonst angemeldet waren, sind Sie es nicht mehr.",
  changeAddress: "Die E-Mail-Adresse ändern",
  newAddress: "Neue E-Mail-Adresse",
  addressAbout: "Wir schreiben an die neue Adresse. Bis Sie den Link in diesem Brief verwenden, ändert sich nichts.",
  askAddress: "An die neue Adresse schreiben",

  sessions: "Wo Sie angemeldet sind",
  sessionUsed: (device, moment) => `${device}, zuletzt verwendet ${moment}`,
  thisOne: "(diese)",
  end: "Beenden",
  sessionEnded: "Diese Sitzung ist beendet.",
  signOut: "Abmelden",
  signOutEverywhere: "Überall abmelden",
  heldTo: "Von wo aus eine Sitzung gilt",
  heldToAbout:
    "Wird sie von anderswo verwendet, endet sie, und Sie melden sich neu an: Unterwegs geschieht das mit der Adresse oft, mit dem Netz seltener.",
  bindings: {
    none: "von überall",
    subnet: "aus dem Netz, in dem Sie sich angemeldet haben",
    strict: "von der Adresse, von der Sie sich angemeldet haben",
  },
  holdSessions: "Das ändern",
  holdSessionsAbout:
    "Es gilt für Sitzungen, die ab jetzt beginnen. Die jetzigen enden, auch diese: Melden Sie sich neu an.",
  holdSessionsNow: "Ändern und überall abmelden",
  sessionsHeld: "Es ist geändert: Melden Sie sich neu an.",

  deletion: "Das Konto löschen",
  deletionAbout:
    "Adresse, Passwort, Passkeys und Sitzungen werden sofort gelöscht, und Sie verlassen Ihre Organisationen. Ihre Spenden bleiben, und die Seite mit ihnen auch. Das lässt sich nicht rückgängig machen.",
  deleteAccount: "Mein Konto löschen",
  deleteNow: "Für immer löschen",
  deleted: "Ihr Konto ist gelöscht. Ein letzter Brief sagt es Ihnen.",

  ...JOIN_DE,
  ...KEYS_DE,
  ...SIGN_IN_DE,
  ...INTEGRATE_DE,
  ...ORGANIZATION_DE,
  ...WEBHOOKS_DE,
};
