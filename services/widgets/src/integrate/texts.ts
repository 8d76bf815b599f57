/** What `/integrate/` says, in each language: a part of the table of people's pages. */
export const INTEGRATE_EN = {
  integrateTitle: "Try the API",
  integrateAbout:
    "You get a test organisation of your own with an API key, and take a gift with a test card. No real money moves, and nobody has to be asked.",
  integrateElsewhere: "Gifts are real here: test organisations are made in a sandbox.",
  integrateAccount: "For this you need an account: sign in, or ask for one.",
  integrateName: "Name of the test organisation",
  integrateNote:
    "At most three a day. Its test account at Stripe is opened with your e-mail address, and we write to you how it stands. What is in a sandbox can be wiped any day.",
  integrateMake: "Make a test organisation",
  integrateWaiting: "Stripe is opening its test account…",
  integrateReady: "It takes gifts.",
  integrateNotYet:
    "Stripe still asks something before it takes gifts: the link is in the letter that we wrote to you. With test data it is a matter of minutes.",
  integrateCommands: "Your first gift",
  integrateShell: "For a shell with curl and jq. The key in it is shown only now.",
  integrateSteps: [
    "1. Take the gift by your key",
    "2. Pay it with a test card, as a browser would",
    "3. See how it stands",
  ] as readonly [string, string, string],
  integrateVerify:
    "A few seconds later its status is “succeeded”, and “ledger” says where it stands in the public ledger, where anyone can check it:",
  integrateLedger: "The public ledger",
  integrateKeys: "Its API keys",
};

export const INTEGRATE_DE: typeof INTEGRATE_EN = {
  integrateTitle: "Die API ausprobieren",
  integrateAbout:
    "Sie bekommen eine eigene Testorganisation mit einem API-Schlüssel und nehmen eine Spende mit einer Testkarte an. Es fließt kein echtes Geld, und Sie müssen niemanden fragen.",
  integrateElsewhere: "Hier sind Spenden echt: Testorganisationen legt man in einer Sandbox an.",
  integrateAccount: "Dafür brauchen Sie ein Konto: Melden Sie sich an, oder fordern Sie eines an.",
  integrateName: "Name der Testorganisation",
  integrateNote:
    "Höchstens drei am Tag. Ihr Testkonto bei Stripe wird mit Ihrer E-Mail-Adresse eröffnet, und wir schreiben Ihnen, wie es damit steht. Was in einer Sandbox ist, kann jeden Tag gelöscht werden.",
  integrateMake: "Eine Testorganisation anlegen",
  integrateWaiting: "Stripe eröffnet ihr Testkonto …",
  integrateReady: "Sie nimmt Spenden an.",
  integrateNotYet:
    "Stripe fragt noch etwas, bevor sie Spenden annimmt: Der Link steht in dem Brief, den wir Ihnen geschrieben haben. Mit Testdaten dauert es Minuten.",
  integrateCommands: "Ihre erste Spende",
  integrateShell: "Für eine Shell mit curl und jq. Der Schlüssel darin wird nur jetzt gezeigt.",
  integrateSteps: [
    "1. Die Spende mit Ihrem Schlüssel annehmen",
    "2. Mit einer Testkarte bezahlen, wie es ein Browser täte",
    "3. Sehen, wie es um sie steht",
  ],
  integrateVerify:
    "Nach einigen Sekunden ist ihr Status „succeeded“, und „ledger“ sagt, wo sie im öffentlichen Buch steht, wo alle sie prüfen können:",
  integrateLedger: "Das öffentliche Buch",
  integrateKeys: "Ihre API-Schlüssel",
};

export const INTEGRATE_FR: typeof INTEGRATE_EN = {
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
