import { FR as INTEGRATE_FR } from "../../integrate/texts/fr";
import { FR as JOIN_FR } from "../../join/texts/fr";
import { FR as KEYS_FR } from "../../keys/texts/fr";
import { FR as ORGANIZATION_FR } from "../../organization/texts/fr";
import { FR as SIGN_IN_FR } from "../../sign_in/texts/fr";
import { FR as WEBHOOKS_FR } from "../../webhooks/texts/fr";
import type { PersonFault, Texts } from "./en";

const SIGN_IN = "Veuillez vous connecter.";
const RELOAD = "La demande n’est pas bien arrivée. Rechargez la page et réessayez.";

const FAULTS: Readonly<Record<PersonFault, string>> = {
  account_exists: "Cette adresse a déjà un compte : connectez-vous avec elle.",
  address_not_acceptable: "Écrivez l’adresse e-mail comme nom@example.org.",
  amount_not_acceptable: "Écrivez le montant en chiffres.",
  authentication_required: SIGN_IN,
  bad_request: RELOAD,
  changed_meanwhile: "Quelqu’un l’a changé entre-temps\u00a0: rechargez la page et décidez à nouveau.",
  confirmation_required: "Confirmez d’abord que c’est bien vous, puis réessayez.",
  country_not_admitted: "Stripe ne reçoit pas de dons pour les organisations de ce pays.",
  credential_not_valid: SIGN_IN,
  currency_not_supported: "Cette devise n’existe pas ici\u00a0: choisissez-en une autre.",
  cursor_not_acceptable: RELOAD,
  delivery_not_found: "Cet événement n’est plus dans la liste\u00a0: rechargez la page.",
  directory_token_not_found: "Ce jeton n’existe plus\u00a0: rechargez la page.",
  domain_not_acceptable: "Écrivez le domaine comme association.example.",
  domain_not_found: "Ce domaine n’est plus dans la liste\u00a0: rechargez la page.",
  domain_not_shown:
    "L’enregistrement n’est pas encore visible dans le DNS\u00a0: vérifiez son nom et son texte, attendez qu’il soit diffusé, puis laissez-nous regarder à nouveau.",
  domain_taken: "Une autre organisation a montré que ce domaine est à elle\u00a0: voyez avec elle, ou écrivez-nous.",
  donation_not_found: "Ce don n’existe pas\u00a0: rechargez la page.",
  donation_not_refundable:
    "Rien de ce don ne peut être rendu ici\u00a0: rechargez la page et voyez où il en est. Si la personne a été effacée, remboursez sur le tableau de bord de Stripe\u00a0; si sa banque le conteste, répondez-y là-bas.",
  endpoint_disabled: "Ce point de terminaison est en pause\u00a0: reprenez-le d’abord.",
  endpoint_not_acceptable:
    "Écrivez une adresse en https:// sur l’internet public, sans port, et une description de 200 caractères au plus.",
  endpoint_not_found: "Ce point de terminaison n’existe plus\u00a0: rechargez la page.",
  endpoint_taken: "Un autre point de terminaison a déjà cette adresse\u00a0: modifiez-le, ou écrivez-en une autre.",
  factor_exists: "Une application est déjà configurée : retirez-la d’abord.",
  factor_missing: "Configurez d’abord une application ou une clé d’accès.",
  factor_refused:
    "Ce code ou cette clé d’accès n’a pas été accepté : essayez avec le code suivant, ou avec un code de secours.",
  fund_not_acceptable: "Écrivez un nom de 1 à 100 caractères, sans caractères de contrôle.",
  fund_not_found: "Ce fonds n’existe pas\u00a0: rechargez la page.",
  fund_of_project:
    "Ce fonds est maintenant celui d’un projet, et en porte le nom\u00a0: rechargez la page et renommez le projet.",
  fund_taken:
    "Ce nom ne va pas\u00a0: quelque chose chez vous le porte déjà, on a déjà donné sous le nom actuel, ou il y a déjà 200 fonds.",
  idempotency_key_missing: RELOAD,
  idempotency_key_reused: "Cela a déjà été envoyé autrement\u00a0: rechargez la page et voyez ce qui a été rendu.",
  identity_not_found: "Ce fournisseur ne vous connecte plus : rechargez la page.",
  identity_taken: "Ce fournisseur est lié à un autre compte : connectez-vous plutôt avec lui.",
  if_match_missing: RELOAD,
  image_not_acceptable:
    "Vérifiez le fichier et ce que montre l’image\u00a0: PNG, JPEG ou WebP, et dans chaque langue une ligne de 250 caractères au plus.",
  image_not_found: "Cette image n’existe plus\u00a0: rechargez la page.",
  image_not_there: "Le fichier n’est pas arrivé à temps\u00a0: envoyez-le encore une fois.",
  images_not_yet: "Attendez que votre organisation soit vérifiée, puis envoyez ses images.",
  invalid_request: "Vérifiez ce que vous avez saisi et réessayez.",
  invitation_for_another_address:
    "L’invitation est pour une autre adresse : connectez-vous avec celle à laquelle la lettre a été envoyée.",
  key_not_acceptable: "Donnez à la clé un nom court, comme « notre site ».",
  key_not_found: "Cette clé n’existe plus : rechargez la page.",
  last_owner:
    "Une organisation garde toujours une personne responsable : proposez d’abord ce rôle à quelqu’un d’autre.",
  last_way_in:
    "C’est votre dernier moyen de vous connecter : choisissez d’abord un mot de passe, ou ajoutez une clé d’accès.",
  ledger_reversal_exceeds_original:
    "On ne peut pas rendre plus que ce qui reste du don\u00a0: écrivez un montant plus petit.",
  letter_link_not_valid: "Ce lien a déjà servi ou est trop ancien : connectez-vous, ou demandez-en un nouveau.",
  member_invitation_link_not_valid:
    "Cette invitation a été acceptée ou retirée, ou elle est trop ancienne : demandez-en une nouvelle.",
  member_invitation_not_valid:
    "Cette invitation est terminée ou pour une autre adresse : connectez-vous avec celle à laquelle la lettre a été envoyée, ou demandez-en une nouvelle.",
  no_role_here: "Votre organisation ne vous donne aucun rôle ici : demandez à qui s’y occupe de la connexion.",
  not_allowed: "Votre rôle ne le permet pas : demandez à quelqu’un qui administre l’organisation.",
  organization_not_acceptable:
    "Vérifiez le nom, le site et les textes\u00a0: le site commence par https://, le nom a de 1 à 200 caractères, sans caractères de commande.",
  organization_not_found: "Cette organisation n’existe pas, ou vous n’en faites pas partie.",
  parameter_not_known: RELOAD,
  passkey_not_found: "Cette clé d’accès n’existe plus : rechargez la page.",
  password_not_acceptable:
    "Choisissez un autre mot de passe : de 12 à 128 caractères, différent de votre adresse, et absent des listes que les attaquants essaient.",
  project_not_found: "Ce projet n’existe pas\u00a0: rechargez la page.",
  project_over: "Ce projet est terminé\u00a0: commencez-en un autre.",
  provider_address_not_verified:
    "Le fournisseur ne garantit pas votre adresse e-mail : confirmez-la d’abord chez lui, ou connectez-vous autrement.",
  provider_not_found: "Ce fournisseur n’est plus proposé ici : connectez-vous autrement.",
  provider_refused:
    "Cette connexion n’a pas été acceptée : elle était peut-être déjà terminée, trop longue, ou commencée dans un autre navigateur. Recommencez.",
  rate_limit_exceeded: "Cela fait beaucoup d’essais : attendez quelques minutes, puis réessayez.",
  receipt_settings_not_acceptable: "Vérifiez ce champ\u00a0: tel quel, il ne peut pas figurer sur des reçus.",
  refund_amount_not_acceptable: "Écrivez un montant supérieur à zéro, dans la devise du don.",
  refund_not_finished: "Un remboursement précédent de ce don n’est pas encore fait\u00a0: attendez qu’il le soit.",
  refund_not_found: "Ce remboursement n’existe pas\u00a0: rechargez la page.",
  replay_not_acceptable:
    "On ne peut pas en renvoyer autant à la fois\u00a0: choisissez un moment plus récent, ou rechargez la page.",
  request_from_elsewhere: "Cette demande ne venait pas de nos propres pages. Ouvrez la page à sa propre adresse.",
  request_timeout: RELOAD,
  request_too_large: RELOAD,
  return_origin_not_acceptable:
    "Écrivez chaque site de retour sur une ligne\u00a0: https:// et son nom, sans rien derrière.",
  session_not_found: "Cette session est déjà terminée.",
  session_not_valid: SIGN_IN,
  sign_in_by_organisation:
    "C’est votre organisation qui vous connecte : sur la page de votre compte, choisissez « Se connecter par votre organisation ».",
  sign_in_not_acceptable:
    "Vérifiez l’émetteur, qui commence par https://, le secret et les groupes\u00a0: la connexion ne peut pas être configurée ainsi.",
  sign_in_not_set_up: "Configurez d’abord la connexion de votre organisation.",
  sign_in_not_tried:
    "Montrez d’abord un domaine, et connectez-vous une fois par votre fournisseur\u00a0: alors seulement cela peut être obligatoire.",
  sign_in_refused: "Vérifiez l’adresse e-mail et le mot de passe, ou demandez un nouveau mot de passe.",
  too_many_directory_tokens:
    "Deux jetons sont déjà valables\u00a0: révoquez d’abord celui que votre annuaire n’utilise plus.",
  too_many_domains: "Il ne peut pas y avoir plus de domaines\u00a0: retirez-en d’abord un.",
  too_many_endpoints: "Il y a déjà cinq points de terminaison\u00a0: supprimez d’abord celui qui ne sert plus.",
  too_many_identities: "Il ne peut pas y avoir plus de fournisseurs : retirez-en d’abord un.",
  too_many_images: "Il y a déjà dix images\u00a0: retirez-en d’abord une.",
  too_many_keys: "Il ne peut pas y avoir autant de clés : révoquez-en d’abord une.",
  too_many_passkeys: "Il ne peut pas y avoir autant de clés d’accès : retirez-en d’abord une.",
  too_many_return_origins: "Il ne peut pas y avoir autant de sites de retour\u00a0: retirez-en d’abord un.",
  too_many_test_organisations:
    "Assez d’organisations de test ont été créées aujourd’hui : utilisez-en une, ou attendez demain.",
  visibility_not_acceptable:
    "Vérifiez ce que les pages du livre doivent montrer\u00a0: un nombre va avec un délai ou avec des sommes, et avec rien d’autre.",
};

export const FR: Texts = {
  faults: FAULTS,
  skipLink: "Aller à l’étape suivante",
  loading: "Chargement…",
  accountTitle: "Votre compte",
  toAccount: "Vers votre compte",
  leaveIt: "Laisser comme c’est",

  email: "Adresse e-mail",
  password: "Mot de passe",
  newPassword: "Nouveau mot de passe",
  passwordHint: "12 caractères ou plus, de toute sorte.",
  code: "Code de votre application, ou code de secours",
  signIn: "Se connecter",
  signInWithPasskey: "Se connecter avec une clé d’accès",
  goOn: "Continuer",
  noPasskeyUsed: "Aucune clé d’accès n’a été utilisée : réessayez, ou continuez autrement.",
  signInWith: (name) => `Se connecter avec ${name}`,
  signInByOrganization: "Se connecter par votre organisation",
  organizationEmail: "Votre adresse e-mail dans l’organisation",
  organizationEmailHint: "Ce qui suit le @ dit de quelle organisation il s’agit.",
  leavingFor: (name) => `En route vers ${name}…`,
  finishing: "Un instant : nous demandons au fournisseur qui vous êtes…",
  noOwnSignIn: "Aucune organisation ne connecte avec cette adresse : vérifiez-la, ou connectez-vous autrement.",
  providerAway: "Le fournisseur ne répond pas : réessayez dans une minute, ou connectez-vous autrement.",
  outsideDeclined: "Vous n’avez pas poursuivi chez le fournisseur : réessayez, ou connectez-vous autrement.",
  outsideFailed: "Le fournisseur ne vous a pas connecté : réessayez, ou connectez-vous autrement.",
  linkTitle: "Cette adresse a déjà un compte",
  linkIntro: "Montrez une fois qu’il est à vous. Ensuite le fournisseur vous y connecte, et une lettre vous le dit.",
  linkAndSignIn: "Lier et se connecter",
  linkCodeHint: "Votre compte le demande en plus du mot de passe.",
  providerLinked: "Vous pouvez désormais vous connecter avec ce fournisseur.",

  register: "Demander un compte",
  forgotten: "J’ai oublié mon mot de passe",
  askForPassword: "Demander un nouveau mot de passe",
  letterSent: "Une lettre est en route vers cette adresse ; elle dit comment continuer.",
  chosenPassword: "Le mot de passe que vous avez choisi",
  openAccount: "Ouvrir le compte",
  accountOpen: "Votre compte est ouvert : connectez-vous.",
  usePassword: "Utiliser ce mot de passe",
  passwordChangedSignIn: "Votre mot de passe est changé : connectez-vous avec lui.",
  useAddress: "Utiliser cette adresse",
  addressChangedSignIn: "Votre adresse est changée : connectez-vous avec elle.",

  signedInAs: (email) => `Vous êtes connecté·e avec ${email}.`,
  confirmTitle: "Confirmez que c’est bien vous",
  confirmIntro: "Pour cela, montrez encore une fois que c’est vous. Cela vaut dix minutes.",
  confirm: "Confirmer",
  confirmWithPasskey: "Confirmer avec une clé d’accès",

  organizations: "Vos organisations",
  noOrganizations: "Vous ne faites encore partie d’aucune. Une invitation par lettre y mène.",
  roles: {
    owner: "responsable",
    admin: "administration",
    finance: "finances",
    content: "contenus",
    viewer: "lecture seule",
  },
  keysOf: "Clés d’API",
  dataOf: "Données",
  leave: "Quitter",
  leaveAsked: (organization) => `Vous ne verrez plus ${organization}, jusqu’à ce que quelqu’un vous invite à nouveau.`,
  leaveNow: (organization) => `Quitter ${organization}`,
  left: (organization) => `Vous avez quitté ${organization}.`,

  passkeys: "Clés d’accès",
  passkeysAbout:
    "Une clé d’accès sur votre téléphone, votre ordinateur ou une clé de sécurité vous connecte sans mot de passe.",
  passkey: "Clé d’accès",
  madeOn: (day) => `créée le ${day}`,
  addPasskey: "Ajouter une clé d’accès",
  takeAway: "Retirer",
  passkeyAdded: "La clé d’accès est ajoutée.",
  passkeyGone: "La clé d’accès est retirée.",
  app: "Codes d’une application",
  appAbout:
    "Une application sur votre téléphone montre toutes les trente secondes un nouveau code, demandé après votre mot de passe.",
  appIsUsed: "Une application est demandée après votre mot de passe.",
  setUpApp: "Configurer une application",
  scanTitle: "Lisez ceci avec votre application",
  scanIntro: "Ou tapez-y le secret. Saisissez ensuite ce qu’elle montre : avant cela, l’application ne compte pas.",
  qrCode: "Code QR contenant le secret pour votre application",
  secret: "Code secret",
  appCode: "Les six chiffres que montre l’application",
  useApp: "Utiliser cette application",
  appAdded: "Votre application est demandée dès maintenant.",
  removeApp: "Retirer l’application",
  appGone: "L’application est retirée.",
  codesLeft: (left) => (left === 1 ? "Il reste 1 code de secours." : `Il reste ${left} codes de secours.`),
  newCodes: "Créer de nouveaux codes de secours",
  codesTitle: "Vos codes de secours",
  codesAbout:
    "Gardez-les là où vous les trouvez sans cet appareil. Chacun vaut une fois à la place de votre second facteur, et ils ne sont montrés que maintenant.",
  copy: "Copier",
  copied: "Copié.",
  notCopied: "Votre navigateur n’a pas permis la copie : sélectionnez le texte et copiez-le à la main.",
  download: "Télécharger",
  codesFile: "amply-codes-de-secours.txt",
  codesKept: "Je les ai gardés",

  providers: "Fournisseurs qui vous connectent",
  providersAbout:
    "Qui dispose de votre compte chez eux entre ici sans votre mot de passe. Un second facteur reste demandé, sauf par la connexion propre à votre organisation.",
  linkedOn: (day) => `lié le ${day}`,
  formerProvider: "Un fournisseur qui n’est plus proposé",
  linkWith: (name) => `Lier avec ${name}`,
  providerGone: "Ce fournisseur ne vous connecte plus. Partout ailleurs où vous étiez connecté, vous ne l’êtes plus.",

  passwordAndAddress: "Mot de passe et adresse",
  changePassword: "Changer le mot de passe",
  presentPassword: "Votre mot de passe actuel",
  passwordChanged: "Votre mot de passe est changé. Partout ailleurs, vous n’êtes plus connecté·e.",
  changeAddress: "Changer l’adresse e-mail",
  newAddress: "Nouvelle adresse e-mail",
  addressAbout:
    "Nous écrivons à la nouvelle adresse. Rien ne change tant que vous n’avez pas utilisé le lien de cette lettre.",
  askAddress: "Écrire à la nouvelle adresse",

  sessions: "Où vous êtes connecté·e",
  sessionUsed: (device, moment) => `${device}, utilisée la dernière fois ${moment}`,
  thisOne: "(celle-ci)",
  end: "Terminer",
  sessionEnded: "Cette session est terminée.",
  signOut: "Se déconnecter",
  signOutEverywhere: "Se déconnecter partout",
  heldTo: "D’où une session peut servir",
  heldToAbout:
    "Utilisée d’ailleurs, elle se termine, et vous vous reconnectez\u00a0: en déplacement, cela arrive souvent avec l’adresse, moins souvent avec le réseau.",
  bindings: {
    none: "de partout",
    subnet: "du réseau depuis lequel vous vous êtes connecté",
    strict: "de l’adresse depuis laquelle vous vous êtes connecté",
  },
  holdSessions: "Changer cela",
  holdSessionsAbout:
    "Cela vaut pour les sessions qui commencent à partir de maintenant. Les sessions en cours se terminent, celle-ci aussi\u00a0: reconnectez-vous.",
  holdSessionsNow: "Changer et se déconnecter partout",
  sessionsHeld: "C’est changé\u00a0: reconnectez-vous.",

  deletion: "Supprimer le compte",
  deletionAbout:
    "Adresse, mot de passe, clés d’accès et sessions sont supprimés aussitôt, et vous quittez vos organisations. Vos dons restent, et la page qui les montre aussi. C’est définitif.",
  deleteAccount: "Supprimer mon compte",
  deleteNow: "Supprimer définitivement",
  deleted: "Votre compte est supprimé. Une dernière lettre vous le dit.",

  ...JOIN_FR,
  ...KEYS_FR,
  ...SIGN_IN_FR,
  ...INTEGRATE_FR,
  ...ORGANIZATION_FR,
  ...WEBHOOKS_FR,
};
