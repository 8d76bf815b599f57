import type { CommonTexts } from "./en";

export const DE: CommonTexts = {
  language: "Sprache",
  testMode: "Testbetrieb: Es fließt kein echtes Geld.",
  oneMoment: "Einen Moment …",
  tryAgain: "Noch einmal versuchen",

  cardHint: "Ihre Kartendaten gehen nur an Stripe; weder wir noch diese Seite sehen sie.",
  formLoading: "Das Zahlungsformular wird geladen …",
  declined:
    "Ihre Bank hat diese Zahlung nicht angenommen, und es wurde kein Geld eingezogen. Versuchen Sie es mit einer anderen Karte, oder fragen Sie Ihre Bank nach dem Grund.",
  paymentEnded:
    "Diese Zahlung lässt sich nicht mehr versuchen, und es wurde kein Geld eingezogen. Bitte laden Sie die Seite neu, um von vorn zu beginnen.",
  notAccepted: "Die Zahlung wurde nicht angenommen. Bitte versuchen Sie es mit einer anderen Zahlungsart.",

  amountMissing: "Geben Sie den Betrag ein, den Sie spenden möchten.",
  amountForm: "Schreiben Sie den Betrag in Ziffern, zum Beispiel 25.",
  amountDecimals: (zeros) => `Schreiben Sie den Betrag in Ziffern, zum Beispiel 25 oder 25,${zeros}.`,
  amountZero: "Der Betrag muss größer als null sein.",
  amountTooLarge: "Dieser Betrag ist zu groß, um ihn online zu spenden.",
  currencyNotTaken: (currency, taken) =>
    `Spenden in ${currency} werden nicht angenommen: Verwenden Sie einen Link mit einer dieser Währungen: ${taken}.`,
  amountLimits: (least, most) => `Spenden Sie mindestens ${least} und höchstens ${most}.`,
  amountSteps: (step, below, above) => `Spenden Sie in Schritten von ${step}, zum Beispiel ${below} oder ${above}.`,

  own: {
    unreachable: "Wir konnten den Server nicht erreichen. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
    unreadable: "Die Antwort des Servers ließ sich nicht lesen. Bitte versuchen Sie es später noch einmal.",
    server: "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal.",
    not_offered: "Das wird hier nicht angeboten.",
    form_unreachable:
      "Das Zahlungsformular konnte nicht geladen werden. Prüfen Sie Ihre Verbindung oder Ihren Inhaltsblocker und versuchen Sie es noch einmal.",
    unsolved:
      "Ihr Browser konnte gerade nicht nachweisen, was von ihm verlangt wird. Warten Sie eine Minute und versuchen Sie es noch einmal, oder nehmen Sie einen anderen Browser.",
    unchecked: "Diese Seite konnte nicht geprüft werden. Bitte laden Sie sie neu und versuchen Sie es noch einmal.",
  },
  fault: "Das hat nicht geklappt. Bitte versuchen Sie es gleich noch einmal.",
};
