import type { Rhythm } from "../../rhythm";
import type { Texts } from "./en";

const EACH: Readonly<Record<Rhythm, string>> = {
  once: "",
  month: "jeden Monat",
  quarter: "jedes Quartal",
  year: "jedes Jahr",
};

export const DE: Texts = {
  title: "Spenden",
  donateTo: (organization) => `Spenden für ${organization}`,
  skip: "Zum Formular springen",
  chooseWhom: "Wählen Sie, wem Sie spenden:",
  nobodyYet: "Hier nimmt noch keine Organisation Spenden an.",
  share: "Eine Spende auf mehrere Organisationen aufteilen",

  handling: "Was mit Ihrer Spende geschieht",
  givenDirectly: "Die Organisation erhält Ihre Spende unmittelbar. Amply hält sie nie in Händen.",
  writtenDown: (ledger) => (
    <>Jede Spende steht ohne Ihren Namen in {ledger("einem öffentlichen Buch")}, das alle prüfen können.</>
  ),
  provedByReceipt: "Ihre Quittung enthält den Beweis.",

  howOften: "Wie oft",
  rhythm: { once: "Einmal", month: "Monatlich", quarter: "Pro Quartal", year: "Jährlich" },
  each: EACH,
  eachTime: (amount, rhythm) => `${amount} ${EACH[rhythm]}`.trimEnd(),
  yourGift: "Ihre Spende",
  whatItMeans: ({ sum, each, next, own }) => (
    <>
      {sum} jetzt und dann {each}, das nächste Mal am {next}. Sie können das ändern, aussetzen oder beenden, wann Sie
      möchten, ohne Konto bei uns: mit dem Link in unseren Schreiben oder auf der Seite {own("Ihre Spenden")}.
    </>
  ),
  saidOfEach: "Was Sie unten über Ihre Spende sagen, gilt für jede von ihnen.",
  amountIn: (currency) => `Betrag in ${currency}`,
  checkAmount: "Bitte prüfen Sie den Betrag.",
  checkThis: "Bitte prüfen Sie diese Angabe.",

  addTheFee: "Die Zahlungsgebühr dazugeben",
  addFee: (fee) => `${fee} für die Zahlungsgebühr dazugeben`,
  lookingUpFee: "Die Gebühr für diesen Betrag wird ermittelt …",
  feeKept: (amount) => `Etwa so viel behält der Zahlungsdienst von Ihren ${amount}.`,
  youPay: (total) =>
    `Sie zahlen ${total}. Die wirkliche Gebühr kann etwas abweichen; was übrig bleibt, erhält die Organisation.`,
  howYouPay: "Wie Sie zahlen werden",
  ways: { card: "Karte", sepa_debit: "SEPA-Lastschrift", us_bank_account: "US-Bankkonto" },
  adds: (way, fee) => `${way}: ${fee} dazu`,
  feesOfParts: "Was davon für wen ist",
  feeNotKnown:
    "Die Zahlungsgebühr für diesen Betrag ist noch nicht bekannt. Warten Sie einen Moment, oder spenden Sie ohne sie.",
  feeChanged:
    "Die Zahlungsgebühr hat sich inzwischen geändert. Laden Sie die Seite neu, um sie zu sehen, oder spenden Sie ohne sie.",

  yourName: "Ihr Name",
  yourEmail: "Ihre E-Mail-Adresse",
  yourEmailHint: "Für Ihre Quittung. Sie wird nie veröffentlicht.",
  nameMissing: "Geben Sie Ihren Namen ein, damit die Organisation Ihnen danken kann.",
  nameTooLong: "Geben Sie Ihren Namen mit höchstens 200 Zeichen ein.",
  emailMissing: "Geben Sie Ihre E-Mail-Adresse ein: Dorthin geht Ihre Quittung.",
  emailForm: "Schreiben Sie die E-Mail-Adresse wie name@example.org.",

  address: "Ihre Anschrift, für die Steuerquittung",
  addressWhy:
    "Das kanadische Recht verlangt sie auf einer amtlichen Quittung für die Einkommensteuer. Sie können sie leer lassen: Dann erhalten Sie ein Dankschreiben und keine solche Quittung.",
  street: "Straße und Hausnummer",
  city: "Ort",
  region: "Provinz oder Bundesstaat",
  postalCode: "Postleitzahl",
  country: "Land",
  streetMissing: "Geben Sie auch Straße und Hausnummer ein, oder lassen Sie die ganze Anschrift leer.",
  cityMissing: "Geben Sie auch den Ort ein, oder lassen Sie die ganze Anschrift leer.",
  postalCodeMissing: "Geben Sie auch die Postleitzahl ein, oder lassen Sie die ganze Anschrift leer.",

  giftAid: "Mit Gift Aid: 25 Pence mehr für jedes Pfund, ohne dass es Sie etwas kostet",
  declaration: "Ihre Erklärung",
  iDeclare: ({ to, isOne, sum, isOnce }) => {
    const donations = isOne ? "meine Spende" : "meine Spenden";
    const gift = sum === null ? donations : `${donations} von ${isOne ? "" : "zusammen "}${sum}`;
    return (
      `Ich möchte ${isOnce ? gift : "diese Spende und alle, die ihr wie oben gewählt folgen,"} an ${to} als Gift-Aid-Spende behandeln lassen. ` +
      "Ich zahle im Vereinigten Königreich Steuern und weiß: Wenn ich in dem Steuerjahr weniger Einkommen- und Kapitalertragsteuer zahle, " +
      "als auf alle meine Spenden an Gift Aid beansprucht wird, muss ich die Differenz zahlen."
    );
  },
  declarationCounts: "Es gilt der englische Wortlaut:",
  declarationChanges:
    "Teilen Sie der Organisation mit, wenn Sie die Erklärung widerrufen, sich Ihr Name oder Ihre Anschrift ändert oder Sie nicht mehr genug Steuern zahlen.",
  personTitle: "Anrede",
  personTitleHint: "Auf Englisch, etwa Ms. Sie können sie leer lassen.",
  firstName: "Vorname",
  lastName: "Nachname",
  house: "Name oder Nummer Ihres Hauses",
  postcode: "Postleitzahl Ihrer Wohnung",
  postcodeHint: "X, wenn Sie außerhalb des Vereinigten Königreichs wohnen.",
  firstNameMissing: "Geben Sie Ihren Vornamen ein: Die Erklärung braucht ihn.",
  lastNameMissing: "Geben Sie Ihren Nachnamen ein: Die Erklärung braucht ihn.",
  houseMissing: "Geben Sie den Namen oder die Nummer Ihres Hauses ein.",
  postcodeMissing:
    "Geben Sie die Postleitzahl Ihrer Wohnung ein, oder X, wenn Sie außerhalb des Vereinigten Königreichs wohnen.",

  sayMore: "Mehr zu Ihrer Spende sagen",
  whatFor: "Wofür sie ist",
  whatForAt: (organization) => `Wofür sie ist: ${organization}`,
  whereNeeded: "Wo es am nötigsten ist",
  dedicate: "Die Spende widmen",
  toNobody: "Niemandem",
  honourSomebody: "Zu Ehren von jemandem",
  rememberSomebody: "Im Gedenken an jemanden",
  dedication: "Ihre Widmung",
  dedicated: { in_honour_of: "Zu Ehren von", in_memory_of: "Im Gedenken an" },
  honoureeMissing: "Geben Sie den Namen ein, dem Sie die Spende widmen.",
  toldName: "Wem wir es mitteilen sollen",
  toldNameHint: "Sie können das leer lassen. Es geht ein einziges Schreiben dorthin, ohne den Betrag.",
  toldNameMissing: "Geben Sie auch den Namen ein: Das Schreiben beginnt damit.",
  toldEmail: "E-Mail-Adresse dazu",
  toldEmailForm: "Geben Sie die Adresse für unser Schreiben ein, wie name@example.org, oder lassen Sie den Namen leer.",
  company: "Unternehmen",
  companyHint: "Wenn ein Unternehmen spendet: Die Quittung wird darauf ausgestellt.",
  taxId: "Steuernummer des Unternehmens",
  taxIdHint: "Wo Quittungen eine brauchen.",
  message: "Nachricht an die Organisation",
  anonymous: "Der Organisation nicht sagen, wer ich bin",
  anonymousHint: "Sie kann Ihnen dann danken, aber keine amtliche Quittung für die Steuer ausstellen.",

  toPayment: "Weiter zur Zahlung",
  checking:
    "Ihr Browser berechnet einen kleinen Nachweis dafür, dass hier niemand gestohlene Karten ausprobiert. Das dauert einige Sekunden; Sie müssen nichts tun.",
  noPlans: "Wiederkehrende Spenden sind hier noch nicht eingerichtet. Sie können stattdessen einmal spenden.",

  giftTo: (gift, organization) => `${gift} an ${organization}`,
  feeIncluded: (fee) => `Davon sind ${fee} für die Zahlungsgebühr, wie Sie es gewählt haben.`,
  donateButton: (gift) => `${gift} spenden`,
  changeDetails: "Angaben ändern",
  terms: "Womit Sie einverstanden sind",
  mandate: ({ organization, sum, each, next, isLate }) => (
    <>
      Mit der Zahlung erlauben Sie {organization}, {each} {sum} von dieser Karte oder diesem Konto einzuziehen, das
      nächste Mal am {next}
      {isLate && ", in kürzeren Monaten am letzten Tag"}, bis Sie es beenden.
    </>
  ),
  firstIsPaidNow: (sum) =>
    `Die ersten ${sum} werden jetzt gezahlt. Jede Spende bekommt ihre eigene Quittung und ihren eigenen Eintrag im öffentlichen Buch.`,
  feeOfEach: (fee) =>
    `Davon decken ${fee} die Zahlungsgebühr; mehr kommt nie zu einer Spende dazu, und weniger, wo weniger genügt.`,
  notice:
    "Wir schreiben Ihnen mindestens zwei Tage, bevor ein Bankkonto belastet wird, und vor jeder jährlichen Spende.",
  changeAnyTime: (own) => (
    <>
      Ändern Sie den Betrag, lassen Sie eine Spende aus, setzen Sie aus oder beenden Sie es jederzeit: mit dem Link in
      jedem unserer Schreiben dazu oder auf der Seite {own("Ihre Spenden")}, allein mit Ihrer E-Mail-Adresse.
    </>
  ),

  yourDonation: "Ihre Spende",
  notCompleted: "Die Zahlung wurde nicht abgeschlossen, und es wurde kein Geld eingezogen.",
  startAgain: "Von vorn beginnen",
  looking: "Ihre Spende wird gesucht …",
  confirming: "Ihre Zahlung wird bestätigt …",
  thankYou: "Vielen Dank!",
  notPaid: "Nicht gezahlt",
  returned: {
    partially_refunded: "Teilweise zurückgezahlt",
    refunded: "Zurückgezahlt",
    disputed: "Von der Bank bestritten",
    charged_back: "Von der Bank zurückgeholt",
  },
  paymentFailed: "Die Zahlung kam nicht zustande, und es wurde kein Geld eingezogen.",
  takesLonger: "Das dauert länger als sonst. Sie können die Seite schließen: Die Quittung kommt per E-Mail.",
  lookAgain: "Noch einmal nachsehen",
  wentThrough: (gift) => `${gift}: angekommen.`,
  awaiting: (gift) => `${gift}: Die Bestätigung der Zahlung steht noch aus …`,
  debitsTakeDays:
    "Eine Karte wird in wenigen Augenblicken bestätigt, eine Lastschrift von Ihrem Bankkonto braucht Tage. Sie können die Seite schließen: Die Quittung kommt per E-Mail, sobald das Geld da ist, und nicht vorher.",
  booksCompared:
    "Unsere Bücher nehmen gerade nichts auf: Wir vergleichen sie mit dem öffentlichen Buch. Hat Ihre Bank die Zahlung bestätigt, ist sie sicher. Sie müssen nicht noch einmal zahlen und können die Seite schließen: Die Quittung kommt per E-Mail.",
  beingWritten: "Wird in das öffentliche Buch eingetragen …",
  waitsForCheckpoint: (index) => `Eintrag ${index}, wartet auf den nächsten Kontrollpunkt …`,
  inLedger: (index, size, entry) => (
    <>Im öffentlichen Buch, für alle zu prüfen: {entry(`Eintrag ${index} im Kontrollpunkt ${size}`)}</>
  ),
  receiptOnItsWay: "Ihre Quittung mit dem Beweis ist per E-Mail zu Ihnen unterwegs.",
  receiptComes: "Sie können die Seite schließen: Ihre Quittung kommt per E-Mail, mit dem Beweis.",
  nextGift: (day, own) => (
    <>
      Die nächste Spende wird am {day} eingezogen. Ändern, aussetzen oder beenden können Sie das auf der Seite{" "}
      {own("Ihre Spenden")} oder mit dem Link in unseren Schreiben.
    </>
  ),
  partWentBack: (amount) =>
    `${amount === null ? "Ein Teil davon ging" : `Davon gingen ${amount}`} an Sie zurück; der Rest bleibt gespendet.`,
  wentBack: (amount) => (amount === null ? "Sie ging an Sie zurück." : `${amount} gingen an Sie zurück.`),
  bankAsks:
    "Die Bank, die sie gezahlt hat, fordert sie zurück. Bis darüber entschieden ist, wird das Geld zurückgehalten.",
  bankTook: "Die Bank, die sie gezahlt hat, hat sie zurückgeholt.",
  backTo: (site) => `Zurück zu ${site}`,
  backWithoutGiving: (site) => `Ohne Spende zurück zu ${site}`,

  sharedTitle: "Eine Spende an mehrere Organisationen",
  organizationsLoading: "Die Organisationen werden geladen …",
  onlyOne: "Hier nimmt nur eine Organisation Spenden an; aufteilen lässt sich eine Spende deshalb nicht.",
  amountInAll: (currency) => `Betrag insgesamt, in ${currency}`,
  toThese: "An diese Organisationen",
  ownParts: "Jeden Teil selbst bestimmen",
  inAll: "Insgesamt:",
  remove: "Entfernen",
  removeOne: (organization) => `${organization} entfernen`,
  addOne: "Eine Organisation hinzufügen",
  choose: "Auswählen …",
  chooseTwo: "Wählen Sie mindestens zwei Organisationen.",
  forEach: (sentence) => `Für jede Organisation: ${sentence}`,
  about: (organization, sentence) => `${organization}: ${sentence}`,
  eachDirectly:
    "Jede Organisation erhält ihren Teil unmittelbar: Auf Ihrem Kontoauszug steht für jede eine Zahlung, und jede schickt ihre eigene Quittung.",
  sumInAll: (sum) => `${sum} insgesamt`,
  otherCardFor: "Eine andere Karte für das, was nicht ging",
  chargedForEach:
    "Ihre Karte wird für jede Organisation, die noch nicht bezahlt ist, einmal belastet und danach vergessen. Die Kartendaten gehen nur an Stripe; weder wir noch diese Seite sehen sie.",
  payFailed: "Fehlendes zahlen",
  leaveIt: "So lassen",
  confirmingGift: "Ihre Spende wird bestätigt …",
  givenInPart: "Teilweise gespendet",
  part: {
    arrived: "angekommen",
    waiting: "die Bestätigung der Zahlung steht noch aus",
    on_its_way: "unterwegs; eine Lastschrift vom Bankkonto braucht Tage",
    open: "noch nicht bestätigt",
    unanswered: "noch keine Antwort; wir fragen von selbst noch einmal",
    failed: "nicht gezahlt, und es wurde nichts eingezogen",
  },
  partStands: (gift, how) => `${gift}: ${how}.`,
  itsEntry: "Zum Eintrag",
  receiptForEach: "Für jeden Teil kommt per E-Mail eine Quittung mit ihrem Beweis.",
  partsUnderWay:
    "Sie können die Seite schließen. Nichts wird je doppelt eingezogen, und für jeden Teil kommt eine Quittung per E-Mail, sobald er da ist.",
  whatFailed: ({ stays, failed }) =>
    (stays === null
      ? "Die Bank hat die Zahlung nicht angenommen, und es wurde nichts eingezogen. "
      : `${stays} Ihrer Spende bleiben gespendet; was nicht ging, macht das nicht rückgängig. Die Bank hat die übrigen ${failed} nicht angenommen, und dafür wurde nichts eingezogen. `) +
    "Einen Tag lang können Sie es noch einmal versuchen oder eine andere Karte eingeben: Gezahlt wird dann nur, was nicht ging." +
    (stays === null ? "" : " Oder lassen Sie es dabei: Sonst müssen Sie nichts tun."),
  otherCard: "Eine andere Karte eingeben",
  sameCard: "Noch einmal mit derselben Karte",
  payOpen: "Offenes zahlen",
  newGift: "Eine neue Spende beginnen",

  faults: {
    amount_not_acceptable: "Diesen Betrag kann man hier nicht spenden. Bitte wählen Sie einen anderen.",
    challenge_required:
      "Ihr Browser muss erst einen kleinen Nachweis erbringen. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.",
    currency_not_supported:
      "In dieser Währung werden hier keine Spenden angenommen. Bitte verwenden Sie einen anderen Link.",
    donation_not_found: "Zu diesem Link gibt es keine Spende. Bitte öffnen Sie ihn so, wie Sie ihn bekommen haben.",
    donor_facts_not_acceptable:
      "So nimmt das Finanzamt die Gift-Aid-Erklärung nicht an. Bitte prüfen Sie Namen (nur Buchstaben, Leerzeichen, Punkte und Apostrophe), Haus (höchstens 40 Zeichen) und Postleitzahl, oder spenden Sie ohne sie.",
    data_sharing_not_acceptable:
      "Was Sie zum Teilen angekreuzt haben, wird nicht mehr so gefragt. Laden Sie die Seite neu und entscheiden Sie noch einmal.",
    fee_cover_changed:
      "Die Zahlungsgebühr hat sich inzwischen geändert. Laden Sie die Seite neu, um sie zu sehen, oder spenden Sie ohne sie.",
    form_closed:
      "Mit diesem Formular werden gerade gestohlene Karten ausprobiert. Deshalb nimmt es etwa eine Stunde lang keine neuen Spenden an: Bitte kommen Sie dann wieder. Wiederkehrende Spenden laufen weiter, und eine begonnene Zahlung kann abgeschlossen werden.",
    fund_not_acceptable: "Dafür kann gerade nicht gespendet werden. Bitte wählen Sie etwas anderes.",
    gift_options_not_acceptable:
      "Diese Angaben zur Spende passen nicht zusammen oder nicht zu dieser Organisation. Bitte ändern Sie sie.",
    idempotency_key_missing:
      "Diese Spende ließ sich nicht zuordnen. Bitte laden Sie die Seite neu und beginnen Sie noch einmal.",
    idempotency_key_reused:
      "Diese Spende ließ sich nicht zuordnen. Bitte laden Sie die Seite neu und beginnen Sie noch einmal.",
    invalid_request: "Eine der Angaben kann so nicht stimmen. Bitte prüfen Sie das Formular.",
    not_found: "Unter dieser Adresse gibt es nichts. Bitte prüfen Sie den Link.",
    organization_not_found: "Diese Organisation gibt es hier nicht. Bitte prüfen Sie den Link.",
    organization_not_ready:
      "Diese Organisation kann gerade keine Spenden annehmen. Bitte versuchen Sie es später noch einmal.",
    payment_method_missing: "Es ist noch keine Karte und kein Konto eingegeben. Bitte geben Sie eine andere Karte ein.",
    plan_never_started:
      "Für diese wiederkehrenden Spenden ist es zu spät: Ihre erste wurde nicht bezahlt. Bitte laden Sie die Seite neu und beginnen Sie noch einmal.",
    rate_limit_exceeded: "Das waren viele Versuche. Bitte warten Sie eine Weile und versuchen Sie es dann wieder.",
    schedule_not_acceptable:
      "Für diese Tage lässt sich keine wiederkehrende Spende einrichten. Bitte spenden Sie einmal, oder wählen Sie einen anderen Rhythmus.",
    setups_used_up: "Für diese Spende wurden schon zu viele Karten eingegeben. Bitte beginnen Sie eine neue Spende.",
    split_gift_closed: "Diese Spende ist abgeschlossen und lässt sich nicht mehr zahlen. Bitte beginnen Sie eine neue.",
    split_gift_not_found: "Zu diesem Link gibt es keine Spende. Bitte öffnen Sie ihn so, wie Sie ihn bekommen haben.",
    split_not_acceptable: "So lässt sich die Spende nicht aufteilen. Bitte prüfen Sie die Teile.",
  },
};
