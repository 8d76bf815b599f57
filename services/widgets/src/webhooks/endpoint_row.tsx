import { ActionResult } from "../account/action_result";
import { Asking } from "../account/asking";
import { type Attempt, useAttempts } from "../account/confirming";
import { useSpeech } from "../account/language";
import { DisclosureForm } from "../organization/disclosure_form";
import type { Keeping } from "../organization/saving";
import { VersionedForm } from "../organization/versioned_form";
import { DeliveriesList } from "./deliveries_list";
import { endpointStanding } from "./delivery_words";
import { differingEndpoint } from "./endpoint_draft";
import { EndpointForm } from "./endpoint_form";
import type { WebhookParts } from "./endpoints_part";
import { PublicKeys } from "./public_keys";
import { ReplayForm } from "./replay_form";
import { RotationForm } from "./rotation_form";
import { type Deliveries, useDeliveries } from "./use_deliveries";
import type { Endpoint, EndpointSaid, SeenEndpoint, WebhooksApi } from "./webhooks_api";

interface EndpointRowProps extends WebhookParts {
  readonly of: Endpoint;
  readonly onRemove: () => void;
}

/** One endpoint: how it stands, its keys, what can be done with it, and what was sent there. */
export function EndpointRow({ of: endpoint, onRemove, ...parts }: EndpointRowProps) {
  const speech = useSpeech();
  const { said, isEnabled } = endpoint;
  const deliveries = useDeliveries(parts.webhooks, endpoint.id, isEnabled);
  const { attempt, ...became } = useAttempts(async () => {
    await parts.look();
    if (deliveries.page !== null) await deliveries.open();
  });
  const about = { endpoint, webhooks: parts.webhooks, attempt };
  return (
    <li>
      <p>
        <strong>{said.url}</strong>
      </p>
      {said.description !== "" && <p class="about">{said.description}</p>}
      <p class="about">{endpointStanding(endpoint, speech)}</p>
      <p class="about">
        <code>{said.eventTypes.join(" ")}</code>
      </p>
      <PublicKeys of={endpoint} />
      <div class="actions">
        <Changing {...about} />
        <Enabling {...about} />
        {isEnabled && <Sending {...about} deliveries={deliveries} />}
        <Rotating {...about} />
        <Removing of={endpoint} onRemove={onRemove} />
        <Looking {...about} deliveries={deliveries} />
      </div>
      <ActionResult {...became} {...parts} />
      {deliveries.page !== null && (
        <DeliveriesList {...parts} of={endpoint} shown={deliveries} page={deliveries.page} />
      )}
    </li>
  );
}

interface ActionProps {
  readonly endpoint: Endpoint;
  readonly webhooks: WebhooksApi;
  readonly attempt: Attempt;
}

function Changing({ endpoint: { id, said }, webhooks, attempt }: ActionProps) {
  const { t } = useSpeech();
  const keeping: Keeping<EndpointSaid, SeenEndpoint> = {
    look: () => webhooks.show(id),
    change: (asked, version) => webhooks.change(id, asked, version),
    differing: differingEndpoint,
  };
  return (
    <DisclosureForm action={t.change} about={said.url} title={t.changeEndpoint} attempt={attempt} load={keeping.look}>
      {(seen, close) => (
        <VersionedForm
          of={seen}
          keeping={keeping}
          attempt={attempt}
          saved={(words) => words.endpointSaved}
          onSaved={close}
        >
          {({ base, isAnew, onSave }) => (
            <EndpointForm
              prefix={`${id}-`}
              said={base.said}
              action={t.saveEndpoint}
              isAnew={isAnew}
              onSave={onSave}
              onLeave={close}
            />
          )}
        </VersionedForm>
      )}
    </DisclosureForm>
  );
}

/** One button that pauses and resumes, so that whoever pressed it is still on it. */
function Enabling({ endpoint: { id, said, isEnabled }, webhooks, attempt }: ActionProps) {
  const { t } = useSpeech();
  const action = isEnabled ? t.pauseEndpoint : t.resumeEndpoint;
  return (
    <button
      type="button"
      class="outlined"
      aria-label={`${action}: ${said.url}`}
      onClick={() =>
        void attempt(
          () => webhooks.enable(id, !isEnabled),
          (words) => (isEnabled ? words.endpointPaused : words.endpointResumed),
        )
      }
    >
      {action}
    </button>
  );
}

interface SendingProps extends ActionProps {
  readonly deliveries: Deliveries;
}

function Sending({ endpoint: { id, said, failingSince }, webhooks, attempt, deliveries }: SendingProps) {
  const { t } = useSpeech();
  const sendTest = async () => {
    await webhooks.sendTest(id);
    await deliveries.open();
  };
  return (
    <>
      <button
        type="button"
        class="outlined"
        aria-label={`${t.sendTest}: ${said.url}`}
        onClick={() => void attempt(sendTest, (words) => words.testSent)}
      >
        {t.sendTest}
      </button>
      <DisclosureForm
        action={t.replay}
        about={said.url}
        title={t.replayTitle}
        attempt={attempt}
        load={() => Promise.resolve({})}
      >
        {(_, close) => (
          <ReplayForm
            prefix={`${id}-`}
            failingSince={failingSince}
            onSend={(asked) => {
              let count = 0;
              const work = async () => {
                count = await webhooks.replay(id, asked);
                close();
                await deliveries.open();
              };
              return attempt(work, (words) => words.replaySent(count));
            }}
            onLeave={close}
          />
        )}
      </DisclosureForm>
    </>
  );
}

function Rotating({ endpoint: { id, said }, webhooks, attempt }: ActionProps) {
  const { t } = useSpeech();
  return (
    <DisclosureForm
      action={t.rotateWebhookKey}
      about={said.url}
      title={t.rotateWebhookKey}
      attempt={attempt}
      load={() => Promise.resolve({})}
    >
      {(_, close) => (
        <RotationForm
          prefix={`${id}-`}
          onRotate={(hours) =>
            attempt(
              () => webhooks.rotateKey(id, hours).then(close),
              (words) => words.webhookKeyRotated,
            )
          }
          onLeave={close}
        />
      )}
    </DisclosureForm>
  );
}

function Removing({ of: { said }, onRemove }: { readonly of: Endpoint; readonly onRemove: () => void }) {
  const { t } = useSpeech();
  return (
    <Asking
      action={t.removeEndpoint}
      about={said.url}
      sentence={t.removeEndpointAbout}
      yes={t.removeEndpointNow}
      no={t.leaveIt}
      onYes={onRemove}
    />
  );
}

/** Shows what was sent, and hides it again. */
function Looking({ endpoint: { said }, attempt, deliveries }: SendingProps) {
  const { t } = useSpeech();
  const isOpen = deliveries.page !== null;
  return (
    <button
      type="button"
      class="outlined"
      aria-expanded={isOpen}
      aria-label={`${t.showDeliveries}: ${said.url}`}
      onClick={() => (isOpen ? deliveries.close() : void attempt(deliveries.open, undefined, true))}
    >
      {t.showDeliveries}
    </button>
  );
}
