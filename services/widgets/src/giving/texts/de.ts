import type { Texts } from "./en";

export const DE: Texts = {
  title: "Ihre Spenden",
  skipLink: "Zu Ihren Spenden springen",
  loading: "Ihre Spenden werden geladen …",
  nothing: "Zu dieser Adresse gehören keine Spenden.",
  forget: "Den Link auf diesem Gerät vergessen",
  leave: "So lassen",

  askIntro:
    "Geben Sie die E-Mail-Adresse ein, mit der Sie spenden. Wir schicken einen Link zu Ihren Spenden dorthin; ein Passwort brauchen Sie nicht.",
  email: "Ihre E-Mail-Adresse",
  emailFault: "Schreiben Sie die E-Mail-Adresse wie name@example.org.",
  askButton: "Link schicken",
  asked: "Gehören Spenden zu dieser Adresse, ist ein Link zu ihnen dorthin unterwegs. Er gilt sieben Tage.",

  gifts: "Spenden",
  older: "Ältere Spenden zeigen",
  fund: (name) => `Für ${name}`,
  recurringGift: "Wiederkehrende Spende",
  splitGift: "Teil einer Spende an mehrere Organisationen",
  offline: { cash: "In bar", cheque: "Per Scheck", bank_transfer: "Per Überweisung", in_kind: "Sachspende" },
  standing: {
    processing: "Unterwegs: Die Bank braucht einige Tage",
    failed: "Nicht angekommen: Die Bank hat sie zurückgegeben",
    refunded: "Zurückgegeben",
    partially_refunded: "Teilweise zurückgegeben",
    disputed: "Ihre Bank fordert sie zurück",
    charged_back: "Von Ihrer Bank zurückgeholt",
    reversed: "Aus den Büchern genommen: Sie war falsch erfasst",
  },
  givenBack: (amount) => `Davon wurden ${amount} zurückgegeben.`,
  more: "Quittungen und Namensnennung",

  receipts: "Quittungen",
  noReceipt: "Die Quittung kommt per E-Mail, sobald das öffentliche Buch diese Spende enthält.",
  receiptState: {
    valid: "",
    replaced: "ungültig, durch eine neuere ersetzt",
    cancelled: "ungültig, die Spende ging zurück",
  },
  downloadReceipt: (number) => `Quittung ${number} (PDF)`,
  downloadProof: "Nachweis für das öffentliche Buch",
  resend: "Quittung noch einmal per E-Mail schicken",
  resent: "Die Quittung ist zu Ihrer E-Mail-Adresse unterwegs.",
  documentFailed: "Das ließ sich gerade nicht erstellen. Bitte versuchen Sie es später noch einmal.",
  documentDone: (name) => `${name} liegt in Ihren Downloads.`,

  whoIsTold: "Wer darf Ihren Namen erfahren?",
  anonymity: {
    none: "Alle: Ich darf öffentlich genannt werden",
    public: "Nur die Organisation",
    organization: "Niemand, auch nicht die Organisation",
  },
  anonymityNote:
    "Das gilt ab jetzt. Was vorher herausgegeben wurde, lässt sich nicht zurückholen. Das öffentliche Buch nennt in keinem Fall Namen.",
  anonymitySave: "Speichern, wer es erfährt",
  anonymitySaved: "Gespeichert.",

  // Angaben zu Spenden teilen.
  sharing: "Angaben zu Ihren Spenden für Statistik",
  sharingExtent: {
    none: "Von Ihren Spenden wird nichts geteilt.",
    ticked: "Angaben zu den Spenden, bei denen Sie das Kästchen angekreuzt haben, werden geteilt.",
    all: "Angaben zu allen Ihren Spenden werden geteilt.",
  } as Readonly<Record<string, string>>,
  sharingGive: "Angaben zu allen meinen Spenden teilen",
  sharingWithdraw: "Nichts mehr teilen",
  sharingGiven: "Gespeichert: Angaben zu allen Ihren Spenden dürfen geteilt werden.",
  sharingWithdrawn: "Gespeichert: Die nächste Veröffentlichung entsteht ohne Sie.",

  statements: "Jahresübersichten",
  statement: (year) => `Übersicht ${year} (PDF)`,

  plan: (organization) => `Wiederkehrende Spenden an ${organization}`,
  every: { month: "jeden Monat", quarter: "jedes Quartal", year: "jedes Jahr" },
  period: {
    paid: "gespendet",
    skipped: "ausgelassen",
    open: "wird eingezogen",
    waiting: "unterwegs",
    giving_up: "nicht eingezogen",
    given_up: "nicht eingezogen",
  },
  periods: "Was bisher eingezogen wurde",
  ended: "Das ist beendet; es wird nichts mehr eingezogen.",
  behind: "Die letzte konnte noch nicht eingezogen werden.",
  paused: "Das ruht; es wird nichts eingezogen.",
  contested:
    "Das ruht, weil Ihre Bank eine Spende zurückholen sollte; es wird nichts eingezogen. Ist das geklärt, können Sie fortsetzen.",
  next: (day) => `Die nächste ist am ${day}.`,
  paidByCard: (last4) => `Bezahlt wird mit der Karte, die auf ${last4} endet.`,
  paidByAccount: (last4) => `Bezahlt wird vom Konto, das auf ${last4} endet.`,
  payNow: "Jetzt zahlen",
  resume: "Fortsetzen",
  changeAmount: "Betrag ändern",
  skip: "Nächste auslassen",
  pause: "Pausieren",
  anotherCard: "Andere Karte oder anderes Konto",
  end: "Beenden",
  about: (action, organization) => `${action}: Spenden an ${organization}`,
  amountLabel: (currency) => `Betrag in ${currency}, ab der nächsten Spende`,
  amountSave: "Betrag speichern",
  pauseLabel: "Der Tag, an dem es weitergeht",
  pauseHint: "Leer lassen, um zu pausieren, bis Sie fortsetzen.",
  endWarning:
    "Es wird nichts mehr eingezogen. Das lässt sich nicht rückgängig machen; neu beginnen können Sie jederzeit.",
  endButton: "Diese Spenden beenden",
  store: "Für meine Spenden hinterlegen",

  faults: {
    link_not_valid: "Dieser Link gilt nicht mehr. Fordern Sie mit Ihrer E-Mail-Adresse einen neuen an.",
    rate_limit_exceeded: "Das waren viele Anfragen. Bitte warten Sie eine Weile und versuchen Sie es dann wieder.",
    changed_meanwhile:
      "Diese Spende hat sich inzwischen geändert. Bitte laden Sie die Seite neu und entscheiden Sie noch einmal.",
    anonymity_not_changeable:
      "Die Organisation muss wissen, von wem diese Spende ist. Öffentlich können Sie ungenannt bleiben.",
    receipt_not_found:
      "Zu dieser Spende gibt es noch keine Quittung. Sie folgt, sobald das öffentliche Buch sie enthält.",
    plan_contested:
      "Ihre Bank sollte eine dieser Spenden zurückholen, oder eine wurde zurückgegeben. Klären Sie das zuerst mit Ihrer Bank, oder beenden Sie diese Spenden und beginnen Sie neu.",
    organization_not_ready:
      "Diese Organisation kann gerade keine Spenden annehmen. Bitte versuchen Sie es später noch einmal.",
    plan_not_changeable: "An diesen Spenden lässt sich das gerade nicht ändern. Bitte laden Sie die Seite neu.",
    pause_not_acceptable: "Wählen Sie einen Tag ab morgen und höchstens ein Jahr voraus, oder keinen.",
    amount_not_acceptable: "Diesen Betrag kann man hier nicht geben. Bitte wählen Sie einen anderen.",
  },
};
