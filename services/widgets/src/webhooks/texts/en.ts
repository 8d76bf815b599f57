/** What `/account/webhooks/` says, in English: a part of the table of people's pages. */
export const EN = {
  webhooksOf: "Webhooks",
  webhooksTitle: "Webhook endpoints",
  webhooksAbout: (organization: string) =>
    `Programs of ${organization} are told of what happens to its money: events are sent to the endpoints that you name here, signed, and tried again for three days.`,
  webhooksNotYours: "You look after the webhook endpoints of no organisation: owners and administrators do.",

  endpointsTitle: "Endpoints",
  endpointsAbout: "Five at most. Each is sent the events that you choose for it.",
  noEndpoints: "There are no endpoints yet.",
  endpointEnabled: "Events are sent to it.",
  endpointFailing: (moment: string) => `Nothing has arrived since ${moment}: what waits is tried again.`,
  disabledReasons: {
    failing: "Disabled, because nothing arrived for 82 hours: resume it once it answers.",
    gone: "Disabled, because it answered that it is gone (410): resume it once it is there again.",
    by_member: "Paused: nothing is sent to it.",
  } as Readonly<Record<string, string>>,
  publicKey: "Public key",
  formerPublicKey: (moment: string) => `Former public key, signs until ${moment}`,

  addEndpoint: "Add an endpoint",
  addEndpointNow: "Add the endpoint",
  endpointAdded: "The endpoint is added: copy its public key to where you verify signatures, then send a test event.",
  changeEndpoint: "Change the endpoint",
  saveEndpoint: "Save the endpoint",
  endpointSaved: "The endpoint is saved.",
  endpointUrl: "Address",
  endpointUrlHint: "An https address on the public internet, without a port.",
  endpointUrlMissing: "Write the address that events are sent to.",
  endpointDescription: "What it is for",
  endpointDescriptionHint: "Only you see this. It may stay empty.",
  eventTypes: "What it is sent",
  noEventType: "Choose at least one type of event.",
  eventMeans: {
    "donation.succeeded": "A gift has arrived.",
    "donation.refunded": "A gift, or a part of it, went back.",
    "donation.disputed": "A donor's bank asks for a gift back, or how that stands has changed.",
    "donation.reversed": "A gift that came another way was taken out of the books.",
    "payout.paid": "A payout has arrived at your bank.",
    "payout.failed": "A payout came back.",
    "plan.started": "A recurring gift has begun.",
    "plan.paused": "A recurring gift is paused.",
    "plan.resumed": "A recurring gift goes on.",
    "plan.ended": "A recurring gift is over.",
  } as Readonly<Record<string, string>>,
  endpointFields: { url: "address", description: "what it is for", eventTypes: "what it is sent" },

  pauseEndpoint: "Pause",
  endpointPaused: "The endpoint is paused. What happens meanwhile is sent once you resume it.",
  resumeEndpoint: "Resume",
  endpointResumed: "The endpoint is resumed: what waited is sent now.",
  sendTest: "Send a test event",
  testSent: "A test event is on its way: see below what becomes of it.",
  removeEndpoint: "Remove",
  removeEndpointAbout:
    "Its keys and the list of what was sent go with it, and nothing more is sent there. It cannot be undone: to stop it for a while, pause it instead.",
  removeEndpointNow: "Remove the endpoint",
  endpointGone: "The endpoint is removed.",

  rotateWebhookKey: "Rotate the key",
  rotateWebhookKeyAbout:
    "A new key signs from now on, and the present one beside it for a while: verify with both public keys until then.",
  formerKeyEnds: "How long the present key still signs",
  formerKeyHours: (hours: number) =>
    hours === 0 ? "not any more: it may have leaked" : hours <= 24 ? `${hours} hours` : `${hours / 24} days`,
  rotateWebhookKeyNow: "Let a new key sign",
  webhookKeyRotated: "A new key signs from now on: copy its public key to where you verify signatures.",

  replay: "Send again",
  replayTitle: "Send events again",
  replayAbout:
    "Events of the chosen types that have not arrived are sent again, under the same ids: a thousand at most, from the last 30 days, also from before there was this endpoint.",
  replaySince: "Since",
  replaySinceMissing: "Choose a day and a time.",
  replayIncludesDelivered: "Also those that have arrived already",
  replayNow: "Send them again",
  replaySent: (count: number) =>
    count === 0
      ? "Nothing was sent: all of it has arrived, or is on its way."
      : count === 1
        ? "1 event is sent again."
        : `${count} events are sent again.`,

  showDeliveries: "What was sent",
  deliveriesTitle: "What was sent",
  noDeliveries: "Nothing has been sent yet.",
  olderDeliveries: "Show older events",
  noOlderDeliveries: "There are no older events.",
  deliveryStates: { pending: "on its way", delivered: "arrived", failed: "not arrived, and not tried any more" },
  deliveryTriedAgain: "not arrived yet",
  deliveryWaits: "waits until you resume the endpoint",
  attemptsMade: (count: number) => (count === 1 ? "1 attempt" : `${count} attempts`),
  nextAttempt: (moment: string) => `next attempt ${moment}`,
  sendAgain: "Send this again",
  sentAgain: "It is sent again.",
  showAttempts: "Attempts",
  noAttempts: "Nothing has been tried yet.",
  answered: (status: number) => `answered ${status}`,
  attemptFailures: {
    address_refused: "not sent: the address is not on the public internet",
    no_connection: "no connection",
    timeout: "no answer within 15 seconds",
    redirect: "redirects are not followed: give the address itself",
    status: "only answers from 200 to 299 count",
  } as Readonly<Record<string, string>>,
  tookMilliseconds: (milliseconds: number) => `${milliseconds} ms`,

  verifyTitle: "Verify what arrives",
  verifyAbout:
    "The header webhook-signature holds one or two signatures, each “v1a,” and base64: an Ed25519 signature by the endpoint's key over what is below, with the body's bytes as they came. Take an event only where one of them is right and the timestamp is at most five minutes off.",
  webhooksDocumentation: "The API's documentation, with the schema of each event",
};

export type WebhooksTexts = typeof EN;
