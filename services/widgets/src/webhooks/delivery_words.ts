import type { PersonSpeech } from "../account/language";
import { momentIn } from "../account/language";
import type { Delivery, DeliveryAttempt, DeliveryPage, Endpoint } from "./webhooks_api";

type Spoken = Pick<PersonSpeech, "t" | "language">;

/** Whether events are sent to an endpoint, and why not. */
export function endpointStanding(
  { isEnabled, disabledReason, failingSince }: Pick<Endpoint, "isEnabled" | "disabledReason" | "failingSince">,
  { t, language }: Spoken,
): string {
  if (!isEnabled) return t.disabledReasons[disabledReason ?? ""] ?? t.disabledReasons["by_member"]!;
  return failingSince === null ? t.endpointEnabled : t.endpointFailing(momentIn(language, failingSince));
}

/** How a delivery stands, and when it is tried next. `isEnabled`: whether anything is sent to its endpoint. */
export function deliveryFacts(
  { state, attempts, createdAt, nextAttemptAt }: Pick<Delivery, "state" | "attempts" | "createdAt" | "nextAttemptAt">,
  isEnabled: boolean,
  { t, language }: Spoken,
): readonly string[] {
  const isPending = state === "pending";
  const isTriedAgain = isPending && isEnabled && attempts > 0;
  const standing =
    isPending && !isEnabled ? t.deliveryWaits : isTriedAgain ? t.deliveryTriedAgain : t.deliveryStates[state];
  return [
    momentIn(language, createdAt),
    standing,
    ...(attempts > 0 ? [t.attemptsMade(attempts)] : []),
    ...(isTriedAgain && nextAttemptAt !== null ? [t.nextAttempt(momentIn(language, nextAttemptAt))] : []),
  ];
}

/** What came of one request. A failure that the page does not know is called as the API calls it. */
export function attemptFacts(
  { at, status, error, milliseconds }: DeliveryAttempt,
  { t, language }: Spoken,
): readonly string[] {
  return [
    momentIn(language, at),
    ...(status === null ? [] : [t.answered(status)]),
    ...(error === null ? [] : [t.attemptFailures[error] ?? error]),
    t.tookMilliseconds(milliseconds),
  ];
}

/**
 * The newest page looked at anew, before the older ones that were shown. Where so much is new that there may be more between
 * the two, the newest page alone.
 */
export function withNewest(shown: DeliveryPage, newest: DeliveryPage): DeliveryPage {
  const last = newest.deliveries.at(-1)?.id;
  const seen = shown.deliveries.findIndex(({ id }) => id === last);
  const older = seen === -1 ? [] : shown.deliveries.slice(seen + 1);
  return older.length === 0 ? newest : { deliveries: [...newest.deliveries, ...older], next: shown.next };
}
