import type { JoinTexts } from "./en";

export const FR: JoinTexts = {
  joinTitle: "Votre invitation",
  noInvitation: "Ouvrez cette page par le lien de la lettre d’invitation, ou demandez-en une nouvelle.",
  invitationOver: "Si vous l’avez déjà acceptée, votre compte montre les organisations dont vous faites partie.",
  invitedTo: (organization) => `Rejoindre ${organization}`,
  invitedBy: "Invitation de",
  byPlatform: "l’équipe de cette plateforme",
  invitedAs: "Rôle",
  invitedAddress: "Pour l’adresse",
  invitedUntil: "Valable jusqu’au",
  roleMeans: {
    owner: "Vous décidez de tout\u00a0: membres, clés, réglages, argent.",
    admin: "Vous vous occupez des membres, des clés et des réglages.",
    finance: "Vous voyez les dons avec leurs donateurs, et les versements.",
    content: "Vous vous occupez des fonds et des pages.",
    viewer: "Vous voyez les dons et les versements, sans rien changer.",
  },
  makeAccount: "Créer votre compte",
  makeAccountAbout: (email) =>
    `La lettre a montré que ${email} est à vous\u00a0: choisissez un mot de passe, et vous avez un compte.`,
  makeAndJoin: "Créer le compte et rejoindre",
  signInToJoin: "Se connecter pour rejoindre",
  hasAccount: (email) => `${email} a un compte ici.`,
  accept: (organization) => `Rejoindre ${organization}`,
  anotherAddress: (email, own) =>
    `Cette invitation est pour ${email}, et vous êtes connecté·e avec ${own}. Déconnectez-vous d’abord, puis continuez avec la bonne adresse.`,
  decline: "Refuser",
  declineAsked: "Personne ne pourra plus accepter cette invitation, et votre adresse sera oubliée avec elle.",
  declineNow: "Refuser l’invitation",
  declined: "Vous avez refusé. Rien d’autre ne se passera.",
  joined: (organization) => `Vous faites maintenant partie de ${organization}.`,
};
