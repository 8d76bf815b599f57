import { useRef } from "preact/hooks";

import type { Attempt } from "../account/confirming";
import { useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { Part } from "../account/part";
import { DisclosureForm } from "../organization/disclosure_form";
import { EndpointForm } from "./endpoint_form";
import { EndpointRow } from "./endpoint_row";
import type { Endpoint, WebhooksApi } from "./webhooks_api";

/** What the parts of the page work with. */
export interface WebhookParts extends Kept {
  readonly webhooks: WebhooksApi;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}

interface EndpointsPartProps extends WebhookParts {
  readonly endpoints: readonly Endpoint[];
}

/** The endpoints, what can be done with each, and adding one. */
export function EndpointsPart({ endpoints, ...parts }: EndpointsPartProps) {
  const { t } = useSpeech();
  const list = useRef<HTMLDivElement>(null);
  const remove = async (id: string) => {
    await parts.webhooks.remove(id);
    // The button is gone with its row, and nobody is left on nothing.
    list.current?.focus();
  };
  return (
    <Part {...parts} title={t.endpointsTitle} about={t.endpointsAbout} saysBelow>
      {(attempt) => (
        <>
          <div ref={list} tabIndex={-1}>
            {endpoints.length === 0 && <p>{t.noEndpoints}</p>}
            {endpoints.length > 0 && (
              <ul class="rows">
                {endpoints.map((endpoint) => (
                  <EndpointRow
                    key={endpoint.id}
                    {...parts}
                    of={endpoint}
                    onRemove={() =>
                      void attempt(
                        () => remove(endpoint.id),
                        (words) => words.endpointGone,
                      )
                    }
                  />
                ))}
              </ul>
            )}
          </div>
          <NewEndpoint {...parts} attempt={attempt} />
        </>
      )}
    </Part>
  );
}

function NewEndpoint({ webhooks, attempt }: WebhookParts & { readonly attempt: Attempt }) {
  const { t } = useSpeech();
  return (
    <div class="actions">
      <DisclosureForm action={t.addEndpoint} title={t.addEndpoint} attempt={attempt} load={() => Promise.resolve({})}>
        {(_, close) => (
          <EndpointForm
            prefix="endpoint-"
            said={null}
            action={t.addEndpointNow}
            onSave={(said, guard) =>
              attempt(
                () => guard(() => webhooks.add(said)).then(close),
                (words) => words.endpointAdded,
              )
            }
            onLeave={close}
          />
        )}
      </DisclosureForm>
    </div>
  );
}
