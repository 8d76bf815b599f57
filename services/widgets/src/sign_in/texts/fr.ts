import type { SignInTexts } from "./en";

export const FR: SignInTexts = {
  ownSignInTitle: "Connexion de votre organisation",
  ownSignInAbout: (organization) =>
    `Les membres de ${organization} peuvent se connecter là où ils le font déjà\u00a0: Entra ID, Okta, Google Workspace, Keycloak, ou tout autre fournisseur OpenID.`,
  ownSignInNotYours:
    "Vous ne gérez la connexion d’aucune organisation\u00a0: ses responsables et son administration le font.",
  signInOf: "Connexion",
  providerTitle: "1. Votre fournisseur",
  providerAbout:
    "Déclarez-y une application web avec cette adresse de retour, et dites-nous sous quel nom elle nous connaît.",
  redirectAddress: "Adresse de retour",
  issuer: "Émetteur (issuer)",
  issuerHint: "Tel que votre fournisseur le nomme, caractère par caractère\u00a0: https://…",
  clientId: "Identifiant du client",
  clientSecret: "Secret du client",
  clientSecretHint: "Il est gardé scellé, et n’est plus montré à personne.",
  clientSecretKept: "Un secret est gardé, et n’est montré à personne. Laissez ce champ vide pour le conserver.",
  groups: "Ce que les membres d’un groupe sont ici",
  groupsAbout:
    "Les noms sont ceux que votre fournisseur envoie comme groupes. De plusieurs groupes, celui qui permet le plus compte.",
  groupName: (line) => `Groupe ${line}`,
  groupRole: (line) => `Rôle du groupe ${line}`,
  groupTwice: (group) =>
    `${group} figure déjà dans une ligne plus haut\u00a0: donnez-lui un seul rôle, et retirez l’autre ligne.`,
  addGroup: "Ajouter un groupe",
  defaultRole: "Qui n’est dans aucun de ces groupes",
  noRole: "n’a pas de rôle, et n’entre pas",
  signInSetUp: "Configurer",
  signInSave: "Enregistrer",
  signInSaved: "C’est enregistré.",
  signInRemove: "Retirer la connexion",
  signInRemoveAbout:
    "Plus personne ne vient par votre fournisseur, et qui est venu par lui n’a plus de rôle dans les cinq minutes. Les personnes invitées restent.",
  signInRemoveNow: "La retirer",
  signInGone: "La connexion est retirée.",
  domainsTitle: "2. Vos domaines",
  domainsAbout:
    "Les personnes dont l’adresse se termine par un de vos domaines sont envoyées à votre fournisseur. Un enregistrement dans le DNS du domaine montre qu’il est à vous\u00a0: laissez-le, car nous regardons chaque jour.",
  noDomains: "Il n’y a pas encore de domaine.",
  domain: "Domaine",
  domainHint: "Par exemple\u00a0: association.example.",
  addDomain: "Ajouter le domaine",
  domainAdded: "Mettez maintenant son enregistrement dans le DNS, puis laissez-nous regarder.",
  domainWaits: "son enregistrement manque encore",
  domainIsShown: "est à vous",
  domainLooked: (moment) => `dernier regard ${moment}`,
  domainFound: (domain) => `L’enregistrement est là\u00a0: ${domain} est à vous.`,
  recordName: "Nom de l’enregistrement",
  recordType: "Type d’enregistrement",
  recordText: "Texte de l’enregistrement",
  lookNow: "Regarder maintenant",
  domainRemoveAbout: (domain) =>
    `Les personnes qui ont une adresse de ${domain} ne sont plus envoyées à votre fournisseur.`,
  domainRemoveNow: "Retirer le domaine",
  domainGone: "Le domaine est retiré.",
  dnsAway: "Le DNS ne nous répond pas en ce moment\u00a0: réessayez dans une minute.",
  tryTitle: "3. Essayer",
  tryAbout:
    "Vous êtes déconnecté ici, envoyé à votre fournisseur, et revenez à la page de votre compte comme la personne qu’il nomme\u00a0: comme tout le monde le fera. Revenez ensuite ici.",
  tryNotYet: "Dès que le fournisseur est configuré et qu’un domaine est à vous, vous pouvez l’essayer ici.",
  tryNow: "Se connecter maintenant par votre fournisseur",
  requireTitle: "4. La rendre obligatoire",
  isOffered: "Les membres peuvent se connecter par votre fournisseur, et aussi par leur mot de passe.",
  isRequired:
    "Les membres se connectent par votre fournisseur et d’aucune autre façon. La personne responsable depuis le plus longtemps entre par son mot de passe, quoi qu’il arrive.",
  require: "La rendre obligatoire",
  requireAbout:
    "Les mots de passe de vos membres sont refusés ici dès maintenant, sauf celui de la personne responsable depuis le plus longtemps. Connectez-vous d’abord une fois par votre fournisseur.",
  requireNow: "Obligatoire dès maintenant",
  requiredNow: "Les membres se connectent dès maintenant par votre fournisseur seul.",
  allowOthers: "Permettre aussi les mots de passe",
  requiredNoMore: "Les membres peuvent de nouveau se connecter par mot de passe.",
  directoryTitle: "Votre annuaire (SCIM)",
  directoryAbout:
    "Un annuaire peut nous dire qui fait partie de votre organisation\u00a0: qui la quitte là-bas est dehors ici aussitôt. Donnez-lui cette adresse et un jeton. Deux jetons sont valables à la fois\u00a0: pour en changer, créez le deuxième, donnez-le à l’annuaire, puis révoquez le premier.",
  directoryAddress: "Adresse pour l’annuaire",
  makeToken: "Créer un jeton",
  noTokens: "Il n’y a pas encore de jeton.",
  tokenMade: "Votre nouveau jeton",
  tokenMadeAbout:
    "Copiez-le maintenant dans votre annuaire\u00a0: il n’est montré qu’ici, et personne ne pourra le montrer à nouveau.",
  tokenEnds: (last) => `Jeton qui se termine par ${last}`,
  tokenUsed: (moment) => `utilisé la dernière fois ${moment}`,
  tokenKept: "Je l’ai gardé",
  tokenMadeOn: (day) => `créé le ${day}`,
  tokenUnused: "jamais utilisé",
  tokenRevokedOn: (day) => `révoqué le ${day}`,
  tokenRevokeAbout:
    "Votre annuaire est refusé avec ce jeton dès maintenant. C’est définitif. Chacun reste ce que l’annuaire a dit en dernier.",
  tokenRevokeNow: "Révoquer le jeton",
  tokenGone: "Le jeton est révoqué.",
};
