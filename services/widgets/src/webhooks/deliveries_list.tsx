import { useState } from "preact/hooks";

import { ActionResult } from "../account/action_result";
import { useAttempts } from "../account/confirming";
import { Failure } from "../account/failure";
import { momentIn, useSpeech } from "../account/language";
import { useLoaded } from "../account/use_loaded";
import { useUntilClosed } from "../organization/use_until_closed";
import { attemptFacts, deliveryFacts } from "./delivery_words";
import type { WebhookParts } from "./endpoints_part";
import type { Deliveries } from "./use_deliveries";
import type { Delivery, DeliveryAttempt, DeliveryPage, Endpoint } from "./webhooks_api";

interface DeliveriesListProps extends WebhookParts {
  readonly of: Endpoint;
  readonly shown: Deliveries;
  readonly page: DeliveryPage;
}

/** What was sent to an endpoint, the newest first, and what became of it. */
export function DeliveriesList({ of: endpoint, shown, page, ...parts }: DeliveriesListProps) {
  const { t } = useSpeech();
  const { attempt, ...became } = useAttempts(shown.open);
  const { name: end, isOffered } = useUntilClosed(page.next === null);
  return (
    <div class="deliveries">
      <h3>{t.deliveriesTitle}</h3>
      {page.deliveries.length > 0 && (
        <ul class="rows">
          {page.deliveries.map((delivery) => (
            <DeliveryRow key={delivery.id} {...parts} endpoint={endpoint} delivery={delivery} onChanged={shown.open} />
          ))}
        </ul>
      )}
      {!isOffered && (
        <p ref={end} tabIndex={-1} class="about">
          {page.deliveries.length === 0 ? t.noDeliveries : t.noOlderDeliveries}
        </p>
      )}
      <div class="actions">
        {isOffered && (
          <button type="button" class="outlined" onClick={() => void attempt(shown.older, undefined, true)}>
            {t.olderDeliveries}
          </button>
        )}
        <button
          type="button"
          class="outlined"
          aria-label={`${t.lookAgain}: ${endpoint.said.url}`}
          onClick={() => void attempt(async () => {})}
        >
          {t.lookAgain}
        </button>
      </div>
      <ActionResult {...became} {...parts} />
    </div>
  );
}

interface DeliveryRowProps extends WebhookParts {
  readonly endpoint: Endpoint;
  readonly delivery: Delivery;
  readonly onChanged: () => Promise<void>;
}

function DeliveryRow({ endpoint, delivery, onChanged, webhooks, ...parts }: DeliveryRowProps) {
  const speech = useSpeech();
  const { t, language } = speech;
  const { attempt, ...became } = useAttempts(onChanged);
  const [isOpen, setOpen] = useState(false);
  const isOver = delivery.state !== "pending";
  const { name } = useUntilClosed(!isOver || !endpoint.isEnabled);
  const about = `${delivery.eventType}, ${momentIn(language, delivery.createdAt)}`;
  return (
    <li>
      <p ref={name} tabIndex={-1}>
        <strong>{delivery.eventType}</strong>
      </p>
      <p class="about">{deliveryFacts(delivery, endpoint.isEnabled, speech).join(" · ")}</p>
      <p class="about">
        <code>{delivery.eventId}</code>
      </p>
      <div class="actions">
        <button
          type="button"
          class="outlined"
          aria-expanded={isOpen}
          aria-label={`${t.showAttempts}: ${about}`}
          onClick={() => setOpen(!isOpen)}
        >
          {t.showAttempts}
        </button>
        {isOver && endpoint.isEnabled && (
          <button
            type="button"
            class="outlined"
            aria-label={`${t.sendAgain}: ${about}`}
            onClick={() =>
              void attempt(
                () => webhooks.replay(endpoint.id, { eventId: delivery.eventId }),
                (words) => words.sentAgain,
              )
            }
          >
            {t.sendAgain}
          </button>
        )}
      </div>
      <ActionResult {...became} {...parts} />
      {/* Once more was tried, it is looked at anew. */}
      {isOpen && (
        <AttemptsLog
          key={`${delivery.state} ${delivery.attempts}`}
          load={() => webhooks.attempts(endpoint.id, delivery.id)}
        />
      )}
    </li>
  );
}

function AttemptsLog({ load }: { readonly load: () => Promise<readonly DeliveryAttempt[]> }) {
  const speech = useSpeech();
  const { t } = speech;
  const { shown, failed } = useLoaded(load);
  return (
    <>
      <Failure of={failed} />
      {shown === null && failed === null && <p role="status">{t.loading}</p>}
      {shown?.length === 0 && <p class="about">{t.noAttempts}</p>}
      {shown !== null && shown.length > 0 && (
        <ol class="attempts">
          {shown.map((each) => (
            <li key={each.at.getTime()}>{attemptFacts(each, speech).join(" · ")}</li>
          ))}
        </ol>
      )}
    </>
  );
}
