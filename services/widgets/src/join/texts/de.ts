import type { JoinTexts } from "./en";

export const DE: JoinTexts = {
  joinTitle: "Ihre Einladung",
  noInvitation: "Öffnen Sie diese Seite über den Link im Einladungsbrief, oder bitten Sie um eine neue Einladung.",
  invitationOver: "Wenn Sie sie schon angenommen haben, zeigt Ihr Konto, zu welchen Organisationen Sie gehören.",
  invitedTo: (organization) => `Bei ${organization} mitarbeiten`,
  invitedBy: "Eingeladen von",
  byPlatform: "den Betreibern dieser Plattform",
  invitedAs: "Als",
  invitedAddress: "Für die Adresse",
  invitedUntil: "Gültig bis",
  roleMeans: {
    owner: "Sie entscheiden alles: Mitglieder, Schlüssel, Einstellungen, Geld.",
    admin: "Sie kümmern sich um Mitglieder, Schlüssel und Einstellungen.",
    finance: "Sie sehen Spenden mit ihren Spendern, und Auszahlungen.",
    content: "Sie kümmern sich um Fonds und Seiten.",
    viewer: "Sie sehen Spenden und Auszahlungen und ändern nichts.",
  },
  makeAccount: "Ihr Konto anlegen",
  makeAccountAbout: (email) =>
    `Der Brief hat gezeigt, dass ${email} Ihre Adresse ist: Wählen Sie ein Passwort, und Sie haben ein Konto.`,
  makeAndJoin: "Konto anlegen und beitreten",
  signInToJoin: "Zum Beitreten anmelden",
  hasAccount: (email) => `${email} hat hier ein Konto.`,
  accept: (organization) => `${organization} beitreten`,
  anotherAddress: (email, own) =>
    `Diese Einladung ist für ${email}, und Sie sind als ${own} angemeldet. Melden Sie sich zuerst ab, und gehen Sie dann mit der richtigen Adresse weiter.`,
  decline: "Ablehnen",
  declineAsked: "Mit dieser Einladung kann dann niemand mehr beitreten, und Ihre Adresse wird mit ihr vergessen.",
  declineNow: "Die Einladung ablehnen",
  declined: "Sie haben abgelehnt. Mehr geschieht nicht.",
  joined: (organization) => `Sie gehören jetzt zu ${organization}.`,
};
