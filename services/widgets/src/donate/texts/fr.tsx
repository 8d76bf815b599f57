import type { Rhythm } from "../../rhythm";
import type { Texts } from "./en";

const EACH: Readonly<Record<Rhythm, string>> = {
  once: "",
  month: "chaque mois",
  quarter: "chaque trimestre",
  year: "chaque année",
};

export const FR: Texts = {
  title: "Faire un don",
  donateTo: (organization) => `Faire un don à ${organization}`,
  skip: "Aller au formulaire",
  chooseWhom: "Choisissez à qui donner :",
  nobodyYet: "Aucune organisation ne reçoit encore de dons ici.",
  share: "Partager un don entre plusieurs organisations",

  handling: "Ce que devient votre don",
  givenDirectly: "L’organisation reçoit votre don directement. Amply ne le détient jamais.",
  writtenDown: (ledger) => (
    <>Chaque don est inscrit, sans votre nom, dans {ledger("un registre public")} que chacun peut vérifier.</>
  ),
  provedByReceipt: "Votre reçu contient la preuve.",

  howOften: "À quelle fréquence",
  rhythm: { once: "Une fois", month: "Mensuel", quarter: "Trimestriel", year: "Annuel" },
  each: EACH,
  eachTime: (amount, rhythm) => `${amount} ${EACH[rhythm]}`.trimEnd(),
  yourGift: "Votre don",
  whatItMeans: ({ sum, each, next, own }) => (
    <>
      {sum} maintenant, puis {each}, la prochaine fois le {next}. Vous pouvez changer, suspendre ou arrêter quand vous
      voulez, sans compte : par le lien dans nos lettres, ou sur la page {own("Vos dons")}.
    </>
  ),
  saidOfEach: "Ce que vous dites de votre don ci-dessous vaut pour chacun d’eux.",
  amountIn: (currency) => `Montant en ${currency}`,
  checkAmount: "Vérifiez le montant.",
  checkThis: "Vérifiez cette indication.",

  addTheFee: "Ajouter les frais de paiement",
  addFee: (fee) => `Ajouter ${fee} pour les frais de paiement`,
  lookingUpFee: "Recherche des frais pour ce montant…",
  feeKept: (amount) => `Le service de paiement garde à peu près cela de vos ${amount}.`,
  youPay: (total) => `Vous payez ${total}. Les frais réels peuvent différer un peu ; ce qui reste va à l’organisation.`,
  howYouPay: "Comment vous paierez",
  ways: { card: "Carte", sepa_debit: "Prélèvement SEPA", us_bank_account: "Compte bancaire américain" },
  adds: (way, fee) => `${way} : ajoute ${fee}`,
  feesOfParts: "Ce qui en revient à qui",
  feeNotKnown:
    "Les frais de paiement pour ce montant ne sont pas encore connus. Attendez un instant, ou donnez sans les ajouter.",
  feeChanged:
    "Les frais de paiement ont changé entre-temps. Rechargez la page pour les voir, ou donnez sans les ajouter.",

  yourName: "Votre nom",
  yourEmail: "Votre adresse e-mail",
  yourEmailHint: "Pour votre reçu. Elle n’est jamais publiée.",
  nameMissing: "Saisissez votre nom, pour que l’organisation puisse vous remercier.",
  nameTooLong: "Saisissez votre nom en 200 caractères au plus.",
  emailMissing: "Saisissez votre adresse e-mail : votre reçu y est envoyé.",
  emailForm: "Écrivez l’adresse e-mail comme nom@example.org.",

  address: "Votre adresse, pour le reçu fiscal",
  addressWhy:
    "La loi canadienne l’exige sur un reçu officiel aux fins de l’impôt sur le revenu. Vous pouvez la laisser vide : votre don fait alors l’objet d’un remerciement, sans un tel reçu.",
  street: "Numéro et rue",
  city: "Ville",
  region: "Province ou État",
  postalCode: "Code postal",
  country: "Pays",
  streetMissing: "Saisissez aussi le numéro et la rue, ou laissez toute l’adresse vide.",
  cityMissing: "Saisissez aussi la ville, ou laissez toute l’adresse vide.",
  postalCodeMissing: "Saisissez aussi le code postal, ou laissez toute l’adresse vide.",

  giftAid: "Avec Gift Aid : 25 pence de plus par livre, sans frais pour vous",
  declaration: "Votre déclaration",
  iDeclare: ({ to, isOne, sum, isOnce }) => {
    const donations = isOne ? "mon don" : "mes dons";
    const gift = sum === null ? donations : `${donations} de ${sum}${isOne ? "" : " en tout"}`;
    return (
      `Je souhaite que ${isOnce ? gift : "ce don et tous ceux qui le suivent comme choisi ci-dessus,"} à ${to} soient traités sous Gift Aid. ` +
      "Je paie des impôts au Royaume-Uni et je sais que, si je paie moins d’impôt sur le revenu et sur les plus-values que le montant de " +
      "Gift Aid demandé pour tous mes dons de l’année fiscale, il m’incombe de payer la différence."
    );
  },
  declarationCounts: "Le texte anglais fait foi :",
  declarationChanges:
    "Informez l’organisation si vous voulez annuler cette déclaration, si votre nom ou votre adresse change, ou si vous ne payez plus assez d’impôts.",
  personTitle: "Civilité",
  personTitleHint: "En anglais, par exemple Ms. Vous pouvez la laisser vide.",
  firstName: "Prénom",
  lastName: "Nom de famille",
  house: "Nom ou numéro de votre maison",
  postcode: "Code postal de votre domicile",
  postcodeHint: "X si vous vivez hors du Royaume-Uni.",
  firstNameMissing: "Saisissez votre prénom : la déclaration l’exige.",
  lastNameMissing: "Saisissez votre nom de famille : la déclaration l’exige.",
  houseMissing: "Saisissez le nom ou le numéro de votre maison.",
  postcodeMissing: "Saisissez le code postal de votre domicile, ou X si vous vivez hors du Royaume-Uni.",

  sayMore: "En dire plus sur votre don",
  whatFor: "À quoi il sert",
  whatForAt: (organization) => `À quoi il sert : ${organization}`,
  whereNeeded: "Selon les besoins",
  dedicate: "Le dédier",
  toNobody: "À personne",
  honourSomebody: "En l’honneur de quelqu’un",
  rememberSomebody: "À la mémoire de quelqu’un",
  dedication: "Votre dédicace",
  dedicated: { in_honour_of: "En l’honneur de", in_memory_of: "À la mémoire de" },
  honoureeMissing: "Saisissez le nom de la personne à qui vous dédiez le don.",
  toldName: "Qui nous devons prévenir",
  toldNameHint: "Vous pouvez laisser cela vide. Une seule lettre est envoyée, qui ne dit pas combien vous avez donné.",
  toldNameMissing: "Saisissez aussi le nom : la lettre commence par lui.",
  toldEmail: "Son adresse e-mail",
  toldEmailForm: "Saisissez l’adresse à laquelle va notre lettre, comme nom@example.org, ou laissez le nom vide.",
  company: "Entreprise",
  companyHint: "Si une entreprise donne : le reçu est établi à son nom.",
  taxId: "Son numéro fiscal",
  taxIdHint: "Là où ses reçus en exigent un.",
  message: "Un message à l’organisation",
  anonymous: "Ne pas dire à l’organisation qui je suis",
  anonymousHint: "Elle peut alors vous remercier, mais pas vous donner de reçu officiel pour vos impôts.",

  toPayment: "Continuer vers le paiement",
  checking:
    "Votre navigateur calcule une petite preuve que personne n’essaie ici des cartes volées. Cela prend quelques secondes, et vous n’avez rien à faire.",
  noPlans: "Les dons récurrents ne sont pas encore possibles ici. Vous pouvez donner une fois.",

  giftTo: (gift, organization) => `${gift} à ${organization}`,
  feeIncluded: (fee) => `Dont ${fee} pour les frais de paiement, comme vous l’avez choisi.`,
  donateButton: (gift) => `Donner ${gift}`,
  changeDetails: "Modifier les indications",
  terms: "Ce que vous acceptez",
  mandate: ({ organization, sum, each, next, isLate }) => (
    <>
      En payant, vous autorisez {organization} à prélever {sum} {each} sur cette carte ou ce compte, la prochaine fois
      le {next}
      {isLate && ", le dernier jour dans les mois plus courts"}, jusqu’à ce que vous y mettiez fin.
    </>
  ),
  firstIsPaidNow: (sum) =>
    `Les premiers ${sum} sont payés maintenant. Chaque don a son propre reçu et sa propre inscription dans le registre public.`,
  feeOfEach: (fee) =>
    `Dont ${fee} couvrent les frais de paiement ; jamais plus n’est ajouté à un don, et moins là où moins suffit.`,
  notice:
    "Nous vous écrivons au moins deux jours avant qu’un compte bancaire ne soit débité, et avant chaque don annuel.",
  changeAnyTime: (own) => (
    <>
      Changez le montant, sautez un don, suspendez ou arrêtez à tout moment : par le lien dans chacune de nos lettres à
      ce sujet, ou sur la page {own("Vos dons")}, avec votre seule adresse e-mail.
    </>
  ),

  yourDonation: "Votre don",
  notCompleted: "Le paiement n’a pas été terminé, et rien n’a été prélevé.",
  startAgain: "Recommencer",
  looking: "Recherche de votre don…",
  confirming: "Confirmation de votre paiement…",
  thankYou: "Merci !",
  notPaid: "Non payé",
  returned: {
    partially_refunded: "Remboursé en partie",
    refunded: "Remboursé",
    disputed: "Contesté",
    charged_back: "Repris par la banque",
  },
  paymentFailed: "Le paiement n’a pas abouti, et rien n’a été prélevé.",
  takesLonger: "Cela prend plus de temps que d’habitude. Vous pouvez fermer la page : le reçu arrive par e-mail.",
  lookAgain: "Regarder à nouveau",
  wentThrough: (gift) => `${gift} : c’est arrivé.`,
  awaiting: (gift) => `${gift} : en attente de la confirmation du paiement…`,
  debitsTakeDays:
    "Une carte est confirmée en quelques instants ; un prélèvement sur votre compte bancaire prend des jours. Vous pouvez fermer la page : le reçu arrive par e-mail dès que l’argent est là, et pas avant.",
  booksCompared:
    "Nos comptes n’enregistrent rien pour le moment : nous les comparons avec le registre public. Si votre banque a confirmé le paiement, il est en sûreté. Vous n’avez pas à payer de nouveau et pouvez fermer la page : le reçu arrive par e-mail.",
  beingWritten: "Inscription dans le registre public…",
  waitsForCheckpoint: (index) => `Inscription ${index}, en attente du prochain point de contrôle…`,
  inLedger: (index, size, entry) => (
    <>Dans le registre public, où chacun peut vérifier : {entry(`inscription ${index} au point de contrôle ${size}`)}</>
  ),
  receiptOnItsWay: "Votre reçu avec la preuve est en route vers vous par e-mail.",
  receiptComes: "Vous pouvez fermer la page : votre reçu arrive par e-mail, avec la preuve.",
  nextGift: (day, own) => (
    <>
      Le prochain don est prélevé le {day}. Vous pouvez le changer, suspendre ou arrêter sur la page {own("Vos dons")},
      ou par le lien dans nos lettres.
    </>
  ),
  partWentBack: (amount) =>
    `${amount === null ? "Une partie vous a été remboursée" : `${amount} vous ont été remboursés`} ; le reste demeure donné.`,
  wentBack: (amount) => (amount === null ? "Il vous a été remboursé." : `${amount} vous ont été remboursés.`),
  bankAsks: "La banque qui l’a payé en demande le retour. Jusqu’à la décision, l’argent est retenu.",
  bankTook: "La banque qui l’a payé l’a repris.",
  backTo: (site) => `Retour à ${site}`,
  backWithoutGiving: (site) => `Retour à ${site} sans donner`,

  sharedTitle: "Un don à plusieurs organisations",
  organizationsLoading: "Chargement des organisations…",
  onlyOne: "Une seule organisation reçoit des dons ici ; il n’y a donc personne avec qui partager un don.",
  amountInAll: (currency) => `Montant total, en ${currency}`,
  toThese: "À ces organisations",
  ownParts: "Choisir chaque part moi-même",
  inAll: "En tout :",
  remove: "Retirer",
  removeOne: (organization) => `Retirer ${organization}`,
  addOne: "Ajouter une organisation",
  choose: "Choisir…",
  chooseTwo: "Choisissez au moins deux organisations.",
  forEach: (sentence) => `Pour chaque organisation : ${sentence}`,
  about: (organization, sentence) => `${organization} : ${sentence}`,
  eachDirectly:
    "Chaque organisation reçoit sa part directement : votre relevé montre un paiement pour chacune, et chacune envoie son propre reçu.",
  sumInAll: (sum) => `${sum} en tout`,
  otherCardFor: "Une autre carte pour ce qui a échoué",
  chargedForEach:
    "Votre carte est débitée une fois pour chaque organisation qui n’est pas encore payée, puis oubliée. Ses données vont à Stripe seulement ; ni nous ni cette page ne les voyons.",
  payFailed: "Payer ce qui a échoué",
  leaveIt: "Ne rien changer",
  confirmingGift: "Confirmation de votre don…",
  givenInPart: "Donné en partie",
  part: {
    arrived: "c’est arrivé",
    waiting: "en attente de la confirmation du paiement",
    on_its_way: "en route ; un prélèvement sur un compte bancaire prend des jours",
    open: "pas encore confirmé",
    unanswered: "pas encore de réponse ; nous redemandons de nous-mêmes",
    failed: "non payé, et rien n’a été prélevé",
  },
  partStands: (gift, how) => `${gift} : ${how}.`,
  itsEntry: "Voir son inscription",
  receiptForEach: "Un reçu pour chaque part, avec sa preuve, arrive par e-mail.",
  partsUnderWay:
    "Vous pouvez fermer la page. Rien n’est jamais prélevé deux fois, et un reçu pour chaque part arrive par e-mail dès qu’elle est là.",
  whatFailed: ({ stays, failed }) =>
    (stays === null
      ? "La banque n’a pas accepté le paiement, et rien n’a été prélevé. "
      : `${stays} de votre don restent donnés ; ce qui a échoué n’y change rien. La banque n’a pas accepté les ${failed} restants, et rien n’a été prélevé pour cela. `) +
    "Pendant un jour, vous pouvez réessayer ou saisir une autre carte : seul ce qui a échoué est alors payé." +
    (stays === null ? "" : " Ou laissez ainsi : vous n’avez rien d’autre à faire."),
  otherCard: "Saisir une autre carte",
  sameCard: "Réessayer avec la même carte",
  payOpen: "Payer ce qui reste",
  newGift: "Commencer un nouveau don",

  faults: {
    amount_not_acceptable: "Ce montant ne peut pas être donné ici. Choisissez-en un autre.",
    challenge_required: "Votre navigateur doit d’abord fournir une petite preuve. Rechargez la page et réessayez.",
    currency_not_supported: "Les dons dans cette devise ne sont pas acceptés ici. Utilisez un autre lien.",
    donation_not_found: "Aucun don ne correspond à ce lien. Ouvrez-le tel que vous l’avez reçu.",
    donor_facts_not_acceptable:
      "L’administration fiscale n’accepte pas la déclaration Gift Aid ainsi. Vérifiez les noms (lettres, espaces, points et apostrophes seulement), la maison (40 caractères au plus) et le code postal, ou donnez sans elle.",
    data_sharing_not_acceptable:
      "La question sur le partage que vous avez cochée n’est plus posée ainsi. Rechargez la page et décidez à nouveau.",
    fee_cover_changed:
      "Les frais de paiement ont changé entre-temps. Rechargez la page pour les voir, ou donnez sans les ajouter.",
    form_closed:
      "Des cartes volées sont essayées sur ce formulaire. Il n’accepte donc aucun nouveau don pendant une heure environ : revenez ensuite. Les dons réguliers continuent, et un paiement commencé peut être terminé.",
    fund_not_acceptable: "On ne peut pas donner pour cela en ce moment. Choisissez autre chose.",
    gift_options_not_acceptable: "Ces indications ne vont pas ensemble, ou pas avec cette organisation. Modifiez-les.",
    idempotency_key_missing: "Ce don n’a pas pu être attribué. Rechargez la page et recommencez.",
    idempotency_key_reused: "Ce don n’a pas pu être attribué. Rechargez la page et recommencez.",
    invalid_request: "L’une des indications ne peut pas être juste. Vérifiez le formulaire.",
    not_found: "Il n’y a rien à cette adresse. Vérifiez le lien.",
    organization_not_found: "Cette organisation n’existe pas ici. Vérifiez le lien.",
    organization_not_ready: "Cette organisation ne peut pas recevoir de dons en ce moment. Réessayez plus tard.",
    payment_method_missing: "Aucune carte et aucun compte n’est encore saisi. Saisissez une autre carte.",
    plan_never_started:
      "Il est trop tard pour ces dons récurrents : le premier n’a pas été payé. Rechargez la page et recommencez.",
    rate_limit_exceeded: "Cela fait beaucoup d’essais. Attendez un moment, puis réessayez.",
    schedule_not_acceptable:
      "Aucun don récurrent n’est possible à ces jours. Donnez une fois, ou choisissez un autre rythme.",
    setups_used_up: "Trop de cartes ont déjà été saisies pour ce don. Commencez un nouveau don.",
    split_gift_closed: "Ce don est clos et ne peut plus être payé. Commencez-en un nouveau.",
    split_gift_not_found: "Aucun don ne correspond à ce lien. Ouvrez-le tel que vous l’avez reçu.",
    split_not_acceptable: "Le don ne peut pas être partagé ainsi. Vérifiez les parts.",
  },
};
