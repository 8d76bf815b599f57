import type { IntegrateTexts } from "./en";

export const DE: IntegrateTexts = {
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
