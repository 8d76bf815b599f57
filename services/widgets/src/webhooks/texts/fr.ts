import type { WebhooksTexts } from "./en";

export const FR: WebhooksTexts = {
  webhooksOf: "Points de terminaison webhook",
  webhooksTitle: "Points de terminaison webhook",
  webhooksAbout: (organization) =>
    `Les programmes de ${organization} apprennent ce qui arrive à son argent\u00a0: les événements sont envoyés aux points de terminaison que vous nommez ici, signés, et retentés pendant trois jours.`,
  webhooksNotYours:
    "Vous ne gérez les points de terminaison webhook d’aucune organisation\u00a0: ses responsables et son administration le font.",

  endpointsTitle: "Points de terminaison",
  endpointsAbout: "Cinq au plus. Chacun reçoit les événements que vous choisissez pour lui.",
  noEndpoints: "Il n’y a pas encore de point de terminaison.",
  endpointEnabled: "Les événements lui sont envoyés.",
  endpointFailing: (moment) => `Rien n’est arrivé depuis ${moment}\u00a0: ce qui attend est retenté.`,
  disabledReasons: {
    failing: "Désactivé, car rien n’est arrivé pendant 82 heures\u00a0: reprenez-le quand il répond à nouveau.",
    gone: "Désactivé, car il a répondu qu’il n’existe plus (410)\u00a0: reprenez-le quand il existe à nouveau.",
    by_member: "En pause\u00a0: rien ne lui est envoyé.",
  },
  publicKey: "Clé publique",
  formerPublicKey: (moment) => `Ancienne clé publique, signe jusqu’au ${moment}`,

  addEndpoint: "Ajouter un point de terminaison",
  addEndpointNow: "Ajouter ce point de terminaison",
  endpointAdded:
    "Le point de terminaison est ajouté\u00a0: copiez sa clé publique là où vous vérifiez les signatures, puis envoyez un événement de test.",
  changeEndpoint: "Modifier le point de terminaison",
  saveEndpoint: "Enregistrer le point de terminaison",
  endpointSaved: "Le point de terminaison est enregistré.",
  endpointUrl: "Adresse",
  endpointUrlHint: "En https, sur l’internet public, sans port.",
  endpointUrlMissing: "Écrivez l’adresse à laquelle les événements sont envoyés.",
  endpointDescription: "À quoi il sert",
  endpointDescriptionHint: "Vous seuls le voyez. Ce champ peut rester vide.",
  eventTypes: "Ce qu’il reçoit",
  noEventType: "Choisissez au moins un type d’événement.",
  eventMeans: {
    "donation.succeeded": "Un don est arrivé.",
    "donation.refunded": "Un don, ou une partie, a été rendu.",
    "donation.disputed": "La banque d’un donateur réclame un don, ou cette réclamation a avancé.",
    "donation.reversed": "Un don arrivé autrement a été retiré des comptes.",
    "payout.paid": "Un versement est arrivé à votre banque.",
    "payout.failed": "Un versement est revenu.",
    "plan.started": "Un don régulier a commencé.",
    "plan.paused": "Un don régulier est suspendu.",
    "plan.resumed": "Un don régulier reprend.",
    "plan.ended": "Un don régulier est terminé.",
  },
  endpointFields: { url: "adresse", description: "à quoi il sert", eventTypes: "ce qu’il reçoit" },

  pauseEndpoint: "Mettre en pause",
  endpointPaused: "Le point de terminaison est en pause. Ce qui arrive entre-temps sera envoyé à la reprise.",
  resumeEndpoint: "Reprendre",
  endpointResumed: "Le point de terminaison a repris\u00a0: ce qui attendait est envoyé maintenant.",
  sendTest: "Envoyer un événement de test",
  testSent: "Un événement de test est en route\u00a0: voyez plus bas ce qu’il devient.",
  removeEndpoint: "Supprimer",
  removeEndpointAbout:
    "Ses clés et la liste de ce qui a été envoyé disparaissent avec lui, et plus rien n’y est envoyé. C’est définitif\u00a0: pour l’arrêter un moment, mettez-le plutôt en pause.",
  removeEndpointNow: "Supprimer le point de terminaison",
  endpointGone: "Le point de terminaison est supprimé.",

  rotateWebhookKey: "Remplacer la clé",
  rotateWebhookKeyAbout:
    "Une nouvelle clé signe dès maintenant, et l’actuelle à côté d’elle un moment\u00a0: vérifiez d’ici là avec les deux clés publiques.",
  formerKeyEnds: "Combien de temps la clé actuelle signe encore",
  formerKeyHours: (hours) =>
    hours === 0
      ? "elle ne signe plus\u00a0: elle est peut-être connue d’autres"
      : hours <= 24
        ? `${hours} heures`
        : `${hours / 24} jours`,
  rotateWebhookKeyNow: "Faire signer une nouvelle clé",
  webhookKeyRotated:
    "Une nouvelle clé signe dès maintenant\u00a0: copiez sa clé publique là où vous vérifiez les signatures.",

  replay: "Renvoyer",
  replayTitle: "Renvoyer des événements",
  replayAbout:
    "Les événements des types choisis qui ne sont pas arrivés sont renvoyés avec les mêmes identifiants\u00a0: mille au plus, des 30 derniers jours, même d’avant ce point de terminaison.",
  replaySince: "Depuis",
  replaySinceMissing: "Choisissez un jour et une heure.",
  replayIncludesDelivered: "Aussi ceux qui sont déjà arrivés",
  replayNow: "Les renvoyer",
  replaySent: (count) =>
    count === 0
      ? "Rien n’a été envoyé\u00a0: tout est arrivé, ou en route."
      : count === 1
        ? "1 événement est renvoyé."
        : `${count} événements sont renvoyés.`,

  showDeliveries: "Ce qui a été envoyé",
  deliveriesTitle: "Ce qui a été envoyé",
  noDeliveries: "Rien n’a encore été envoyé.",
  olderDeliveries: "Montrer les événements plus anciens",
  noOlderDeliveries: "Il n’y a pas d’événements plus anciens.",
  deliveryStates: { pending: "en route", delivered: "arrivé", failed: "pas arrivé, et n’est plus retenté" },
  deliveryTriedAgain: "pas encore arrivé",
  deliveryWaits: "attend que vous repreniez le point de terminaison",
  attemptsMade: (count) => (count === 1 ? "1 tentative" : `${count} tentatives`),
  nextAttempt: (moment) => `prochaine tentative ${moment}`,
  sendAgain: "Renvoyer celui-ci",
  sentAgain: "Il est renvoyé.",
  showAttempts: "Tentatives",
  noAttempts: "Rien n’a encore été tenté.",
  answered: (status) => `a répondu ${status}`,
  attemptFailures: {
    address_refused: "pas envoyé\u00a0: l’adresse n’est pas sur l’internet public",
    no_connection: "pas de connexion",
    timeout: "pas de réponse en 15 secondes",
    redirect: "les redirections ne sont pas suivies\u00a0: donnez l’adresse elle-même",
    status: "seules les réponses de 200 à 299 comptent",
  },
  tookMilliseconds: (milliseconds) => `${milliseconds} ms`,

  verifyTitle: "Vérifier ce qui arrive",
  verifyAbout:
    "L’en-tête webhook-signature contient une ou deux signatures, chacune «\u00a0v1a,\u00a0» et du base64\u00a0: une signature Ed25519 de la clé de ce point de terminaison sur ce qui suit, avec les octets du corps tels qu’ils sont arrivés. N’acceptez un événement que si l’une d’elles est juste et que l’horodatage s’écarte de cinq minutes au plus.",
  webhooksDocumentation: "La documentation de l’API, avec le schéma de chaque événement (en anglais)",
};
