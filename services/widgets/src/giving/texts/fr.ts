import type { Texts } from "./en";

export const FR: Texts = {
  title: "Vos dons",
  skipLink: "Aller à vos dons",
  loading: "Chargement de vos dons…",
  nothing: "Aucun don n’est lié à cette adresse.",
  forget: "Oublier le lien sur cet appareil",
  leave: "Ne rien changer",

  askIntro:
    "Saisissez l’adresse e-mail avec laquelle vous donnez. Nous y envoyons un lien vers vos dons ; aucun mot de passe n’est nécessaire.",
  email: "Votre adresse e-mail",
  emailFault: "Écrivez l’adresse e-mail comme nom@example.org.",
  askButton: "Envoyez-moi un lien",
  asked:
    "Si des dons sont liés à cette adresse, un lien vers eux vient d’y être envoyé. Il fonctionne pendant sept jours.",

  gifts: "Dons",
  older: "Afficher les dons plus anciens",
  fund: (name) => `Pour ${name}`,
  recurringGift: "Don récurrent",
  splitGift: "Partie d’un don à plusieurs organisations",
  offline: { cash: "En espèces", cheque: "Par chèque", bank_transfer: "Par virement", in_kind: "En nature" },
  standing: {
    processing: "En route : la banque prend quelques jours",
    failed: "Non arrivé : la banque l’a renvoyé",
    refunded: "Remboursé",
    partially_refunded: "Remboursé en partie",
    disputed: "Votre banque en demande le retour",
    charged_back: "Repris par votre banque",
    reversed: "Retiré des comptes : il avait été mal enregistré",
  },
  givenBack: (amount) => `${amount} ont été remboursés.`,
  more: "Reçus et confidentialité",

  receipts: "Reçus",
  noReceipt: "Le reçu suit par e-mail dès que le registre public contient ce don.",
  receiptState: { valid: "", replaced: "nul, remplacé par un plus récent", cancelled: "nul, le don a été rendu" },
  downloadReceipt: (number) => `Reçu ${number} (PDF)`,
  downloadProof: "Preuve pour le registre public",
  resend: "Renvoyer le reçu par e-mail",
  resent: "Le reçu est en route vers votre adresse e-mail.",
  documentFailed: "Ce document n’a pas pu être créé. Réessayez plus tard.",
  documentDone: (name) => `${name} se trouve dans vos téléchargements.`,

  whoIsTold: "Qui peut connaître votre nom ?",
  anonymity: {
    none: "Tout le monde : on peut me nommer en public",
    public: "L’organisation seulement",
    organization: "Personne, pas même l’organisation",
  },
  anonymityNote:
    "Cela vaut à partir de maintenant. Ce qui a été transmis avant ne peut être repris. Le registre public ne nomme personne en aucun cas.",
  anonymitySave: "Enregistrer ce choix",
  anonymitySaved: "Enregistré.",

  // Partager des faits de dons.
  sharing: "Des faits de vos dons pour des statistiques",
  sharingExtent: {
    none: "Rien de vos dons n’est partagé.",
    ticked: "Des faits des dons dont vous avez coché la case sont partagés.",
    all: "Des faits de tous vos dons sont partagés.",
  } as Readonly<Record<string, string>>,
  sharingGive: "Partager des faits de tous mes dons",
  sharingWithdraw: "Ne plus rien partager",
  sharingGiven: "Enregistré : des faits de tous vos dons peuvent être partagés.",
  sharingWithdrawn: "Enregistré : la prochaine publication se fera sans vous.",

  statements: "Relevés annuels",
  statement: (year) => `Relevé ${year} (PDF)`,

  plan: (organization) => `Dons récurrents à ${organization}`,
  every: { month: "chaque mois", quarter: "chaque trimestre", year: "chaque année" },
  period: {
    paid: "donné",
    skipped: "sauté",
    open: "en cours de prélèvement",
    waiting: "en route",
    giving_up: "non prélevé",
    given_up: "non prélevé",
  },
  periods: "Ce qui a été prélevé jusqu’ici",
  ended: "C’est terminé ; rien d’autre n’est prélevé.",
  behind: "Le dernier n’a pas encore pu être prélevé.",
  paused: "C’est suspendu ; rien n’est prélevé.",
  contested:
    "C’est suspendu, car votre banque a été priée de reprendre un don ; rien n’est prélevé. Une fois la question réglée, vous pourrez reprendre.",
  next: (day) => `Le prochain est le ${day}.`,
  paidByCard: (last4) => `Il est payé par la carte se terminant par ${last4}.`,
  paidByAccount: (last4) => `Il est payé par le compte se terminant par ${last4}.`,
  payNow: "Payer maintenant",
  resume: "Reprendre",
  changeAmount: "Changer le montant",
  skip: "Sauter le prochain",
  pause: "Suspendre",
  anotherCard: "Autre carte ou autre compte",
  end: "Arrêter",
  about: (action, organization) => `${action} : dons à ${organization}`,
  amountLabel: (currency) => `Montant en ${currency}, à partir du prochain don`,
  amountSave: "Enregistrer le montant",
  pauseLabel: "Le jour où vos dons reprennent",
  pauseHint: "Laissez vide pour suspendre jusqu’à ce que vous repreniez.",
  endWarning: "Rien d’autre ne sera prélevé. C’est définitif ; vous pouvez recommencer quand vous voulez.",
  endButton: "Arrêter ces dons",
  store: "L’enregistrer pour mes dons",

  faults: {
    link_not_valid: "Ce lien n’est plus valable. Demandez-en un nouveau avec votre adresse e-mail.",
    rate_limit_exceeded: "Cela fait beaucoup de demandes. Attendez un moment, puis réessayez.",
    changed_meanwhile: "Ce don a changé entre-temps. Rechargez la page et décidez à nouveau.",
    anonymity_not_changeable: "L’organisation doit savoir qui a fait ce don. Vous pouvez rester sans nom en public.",
    receipt_not_found: "Ce don n’a pas encore de reçu. Il suit dès que le registre public le contient.",
    plan_contested:
      "Votre banque a été priée de reprendre l’un de ces dons, ou l’un d’eux a été rendu. Réglez cela d’abord avec elle, ou mettez fin à ces dons et recommencez.",
    organization_not_ready:
      "Cette organisation ne peut pas recevoir de dons pour le moment. Veuillez réessayer plus tard.",
    plan_not_changeable: "Ces dons ne peuvent pas être modifiés ainsi pour le moment. Rechargez la page.",
    pause_not_acceptable: "Choisissez un jour à partir de demain, un an à l’avance au plus, ou aucun.",
    amount_not_acceptable: "Ce montant ne peut pas être donné ici. Choisissez-en un autre.",
  },
};
