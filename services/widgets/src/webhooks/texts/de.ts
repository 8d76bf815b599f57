import type { WebhooksTexts } from "./en";

export const DE: WebhooksTexts = {
  webhooksOf: "Webhook-Endpunkte",
  webhooksTitle: "Webhook-Endpunkte",
  webhooksAbout: (organization) =>
    `Programme von ${organization} erfahren, was mit dem Geld geschieht: Ereignisse gehen an die Endpunkte, die Sie hier nennen, mit Signatur, und werden drei Tage lang wieder versucht.`,
  webhooksNotYours: "Sie verwalten die Webhook-Endpunkte keiner Organisation: Das tun Inhaber und Verwaltung.",

  endpointsTitle: "Endpunkte",
  endpointsAbout: "Höchstens fünf. Jeder bekommt die Ereignisse, die Sie für ihn auswählen.",
  noEndpoints: "Es gibt noch keine Endpunkte.",
  endpointEnabled: "Ereignisse werden an ihn gesendet.",
  endpointFailing: (moment) => `Seit ${moment} ist nichts angekommen: Was wartet, wird wieder versucht.`,
  disabledReasons: {
    failing: "Abgeschaltet, weil 82 Stunden lang nichts ankam: Setzen Sie ihn fort, wenn er wieder antwortet.",
    gone: "Abgeschaltet, weil er antwortete, dass es ihn nicht mehr gibt (410): Setzen Sie ihn fort, wenn es ihn wieder gibt.",
    by_member: "Angehalten: Es wird nichts an ihn gesendet.",
  },
  publicKey: "Öffentlicher Schlüssel",
  formerPublicKey: (moment) => `Früherer öffentlicher Schlüssel, signiert bis ${moment}`,

  addEndpoint: "Einen Endpunkt hinzufügen",
  addEndpointNow: "Den Endpunkt hinzufügen",
  endpointAdded:
    "Der Endpunkt ist hinzugefügt: Kopieren Sie seinen öffentlichen Schlüssel dorthin, wo Sie Signaturen prüfen, und senden Sie dann ein Testereignis.",
  changeEndpoint: "Den Endpunkt ändern",
  saveEndpoint: "Den Endpunkt speichern",
  endpointSaved: "Der Endpunkt ist gespeichert.",
  endpointUrl: "Adresse",
  endpointUrlHint: "Https, im öffentlichen Internet, ohne Port.",
  endpointUrlMissing: "Schreiben Sie die Adresse, an die Ereignisse gesendet werden.",
  endpointDescription: "Wofür er ist",
  endpointDescriptionHint: "Das sehen nur Sie. Es darf leer bleiben.",
  eventTypes: "Was er bekommt",
  noEventType: "Wählen Sie mindestens eine Art von Ereignis.",
  eventMeans: {
    "donation.succeeded": "Eine Spende ist angekommen.",
    "donation.refunded": "Eine Spende oder ein Teil von ihr ging zurück.",
    "donation.disputed":
      "Die Bank eines Spenders fordert eine Spende zurück, oder wie es darum steht, hat sich geändert.",
    "donation.reversed": "Eine Spende, die auf anderem Weg kam, wurde aus den Büchern genommen.",
    "payout.paid": "Eine Auszahlung ist bei Ihrer Bank angekommen.",
    "payout.failed": "Eine Auszahlung kam zurück.",
    "plan.started": "Eine wiederkehrende Spende hat begonnen.",
    "plan.paused": "Eine wiederkehrende Spende ruht.",
    "plan.resumed": "Eine wiederkehrende Spende geht weiter.",
    "plan.ended": "Eine wiederkehrende Spende ist zu Ende.",
  },
  endpointFields: { url: "Adresse", description: "wofür er ist", eventTypes: "was er bekommt" },

  pauseEndpoint: "Anhalten",
  endpointPaused: "Der Endpunkt ist angehalten. Was inzwischen geschieht, wird gesendet, wenn Sie ihn fortsetzen.",
  resumeEndpoint: "Fortsetzen",
  endpointResumed: "Der Endpunkt ist fortgesetzt: Was gewartet hat, wird jetzt gesendet.",
  sendTest: "Ein Testereignis senden",
  testSent: "Ein Testereignis ist unterwegs: Unten sehen Sie, was daraus wird.",
  removeEndpoint: "Entfernen",
  removeEndpointAbout:
    "Seine Schlüssel und die Liste dessen, was gesendet wurde, gehen mit ihm, und es wird nichts mehr dorthin gesendet. Das lässt sich nicht rückgängig machen: Soll er nur eine Weile ruhen, halten Sie ihn an.",
  removeEndpointNow: "Den Endpunkt entfernen",
  endpointGone: "Der Endpunkt ist entfernt.",

  rotateWebhookKey: "Den Schlüssel ablösen",
  rotateWebhookKeyAbout:
    "Ein neuer Schlüssel signiert ab jetzt, und der jetzige eine Weile daneben: Prüfen Sie so lange mit beiden öffentlichen Schlüsseln.",
  formerKeyEnds: "Wie lange der jetzige Schlüssel noch signiert",
  formerKeyHours: (hours) =>
    hours === 0
      ? "nicht mehr: Er ist vielleicht in fremden Händen"
      : hours <= 24
        ? `${hours} Stunden`
        : `${hours / 24} Tage`,
  rotateWebhookKeyNow: "Einen neuen Schlüssel signieren lassen",
  webhookKeyRotated:
    "Ein neuer Schlüssel signiert ab jetzt: Kopieren Sie seinen öffentlichen Schlüssel dorthin, wo Sie Signaturen prüfen.",

  replay: "Noch einmal senden",
  replayTitle: "Ereignisse noch einmal senden",
  replayAbout:
    "Ereignisse der ausgewählten Arten, die nicht angekommen sind, werden mit denselben Kennungen noch einmal gesendet: höchstens tausend aus den letzten 30 Tagen, auch aus der Zeit vor diesem Endpunkt.",
  replaySince: "Seit",
  replaySinceMissing: "Wählen Sie einen Tag und eine Uhrzeit.",
  replayIncludesDelivered: "Auch die, die schon angekommen sind",
  replayNow: "Sie noch einmal senden",
  replaySent: (count) =>
    count === 0
      ? "Es wurde nichts gesendet: Alles ist angekommen oder unterwegs."
      : count === 1
        ? "1 Ereignis wird noch einmal gesendet."
        : `${count} Ereignisse werden noch einmal gesendet.`,

  showDeliveries: "Was gesendet wurde",
  deliveriesTitle: "Was gesendet wurde",
  noDeliveries: "Es wurde noch nichts gesendet.",
  olderDeliveries: "Ältere Ereignisse zeigen",
  noOlderDeliveries: "Ältere Ereignisse gibt es nicht.",
  deliveryStates: {
    pending: "unterwegs",
    delivered: "angekommen",
    failed: "nicht angekommen, und wird nicht mehr versucht",
  },
  deliveryTriedAgain: "noch nicht angekommen",
  deliveryWaits: "wartet, bis Sie den Endpunkt fortsetzen",
  attemptsMade: (count) => (count === 1 ? "1 Versuch" : `${count} Versuche`),
  nextAttempt: (moment) => `nächster Versuch ${moment}`,
  sendAgain: "Dieses noch einmal senden",
  sentAgain: "Es wird noch einmal gesendet.",
  showAttempts: "Versuche",
  noAttempts: "Es wurde noch nichts versucht.",
  answered: (status) => `antwortete ${status}`,
  attemptFailures: {
    address_refused: "nicht gesendet: Die Adresse liegt nicht im öffentlichen Internet",
    no_connection: "keine Verbindung",
    timeout: "keine Antwort in 15 Sekunden",
    redirect: "Weiterleitungen wird nicht gefolgt: Nennen Sie die Adresse selbst",
    status: "nur Antworten von 200 bis 299 zählen",
  },
  tookMilliseconds: (milliseconds) => `${milliseconds} ms`,

  verifyTitle: "Prüfen, was ankommt",
  verifyAbout:
    "Der Header webhook-signature enthält eine oder zwei Signaturen, jede „v1a,“ und Base64: eine Ed25519-Signatur des Schlüssels dieses Endpunkts über das, was unten steht, mit den Bytes des Inhalts, wie sie ankamen. Nehmen Sie ein Ereignis nur an, wenn eine davon stimmt und der Zeitstempel höchstens fünf Minuten abweicht.",
  webhooksDocumentation: "Die Dokumentation der API mit dem Schema jedes Ereignisses (englisch)",
};
