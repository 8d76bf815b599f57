import type { IntegrateTexts } from "./en";

export const FR: IntegrateTexts = {
  integrateTitle: "Essayer l’API",
  integrateAbout:
    "Vous recevez une organisation de test à vous, avec une clé d’API, et vous encaissez un don avec une carte de test. Aucun argent réel ne circule, et il n’y a personne à qui demander.",
  integrateElsewhere: "Ici, les dons sont réels : les organisations de test se créent dans un bac à sable.",
  integrateAccount: "Pour cela, il vous faut un compte\u00a0: connectez-vous, ou demandez-en un.",
  integrateName: "Nom de l’organisation de test",
  integrateNote:
    "Trois par jour au plus. Son compte de test chez Stripe est ouvert avec votre adresse e-mail, et nous vous écrivons où il en est. Ce qui est dans un bac à sable peut être effacé n’importe quel jour.",
  integrateMake: "Créer une organisation de test",
  integrateWaiting: "Stripe ouvre son compte de test…",
  integrateReady: "Elle reçoit des dons.",
  integrateNotYet:
    "Stripe demande encore quelque chose avant qu’elle reçoive des dons\u00a0: le lien est dans la lettre que nous vous avons écrite. Avec des données de test, c’est l’affaire de quelques minutes.",
  integrateCommands: "Votre premier don",
  integrateShell: "Pour un terminal avec curl et jq. La clé qui s’y trouve n’est montrée que maintenant.",
  integrateSteps: [
    "1. Recevoir le don avec votre clé",
    "2. Le payer avec une carte de test, comme le ferait un navigateur",
    "3. Voir où il en est",
  ],
  integrateVerify:
    "Quelques secondes plus tard, son statut est «\u00a0succeeded\u00a0», et «\u00a0ledger\u00a0» dit où il se trouve dans le registre public, où chacun peut le vérifier\u00a0:",
  integrateLedger: "Le registre public",
  integrateKeys: "Ses clés d’API",
};
