import type { CommonTexts } from "./en";

export const FR: CommonTexts = {
  language: "Langue",
  testMode: "Mode test : aucun argent réel ne circule.",
  oneMoment: "Un instant…",
  tryAgain: "Réessayer",

  cardHint: "Vos données de carte vont à Stripe seulement ; ni nous ni cette page ne les voyons.",
  formLoading: "Chargement du formulaire de paiement…",
  declined:
    "Votre banque n’a pas accepté ce paiement, et rien n’a été prélevé. Essayez une autre carte, ou demandez la raison à votre banque.",
  paymentEnded: "Ce paiement ne peut plus être tenté, et rien n’a été prélevé. Rechargez la page pour recommencer.",
  notAccepted: "Le paiement n’a pas été accepté. Essayez un autre moyen de paiement.",

  amountMissing: "Saisissez le montant que vous voulez donner.",
  amountForm: "Écrivez le montant en chiffres, par exemple 25.",
  amountDecimals: (zeros) => `Écrivez le montant en chiffres, par exemple 25 ou 25,${zeros}.`,
  amountZero: "Le montant doit être supérieur à zéro.",
  amountTooLarge: "Ce montant est trop élevé pour être donné en ligne.",
  currencyNotTaken: (currency, taken) =>
    `Les dons en ${currency} ne sont pas acceptés : utilisez un lien avec l’une de ces devises : ${taken}.`,
  amountLimits: (least, most) => `Donnez au moins ${least} et au plus ${most}.`,
  amountSteps: (step, below, above) => `Donnez par pas de ${step}, par exemple ${below} ou ${above}.`,

  own: {
    unreachable: "Nous n’avons pas pu joindre le serveur. Vérifiez votre connexion et réessayez.",
    unreadable: "La réponse du serveur n’a pas pu être lue. Réessayez plus tard.",
    server: "Une erreur s’est produite de notre côté. Réessayez dans un instant.",
    not_offered: "Ce n’est pas proposé ici.",
    form_unreachable:
      "Le formulaire de paiement n’a pas pu être chargé. Vérifiez votre connexion ou votre bloqueur de contenu et réessayez.",
    unsolved:
      "Votre navigateur n’a pas pu prouver ce qui lui est demandé. Attendez une minute et réessayez, ou utilisez un autre navigateur.",
    unchecked: "Cette page n’a pas pu être vérifiée. Rechargez-la et réessayez.",
  },
  fault: "Cela n’a pas fonctionné. Réessayez dans un instant.",
};
