import { useMemo } from "preact/hooks";

import { Failure } from "../account/failure";
import { useSpeech } from "../account/language";
import { type AskedPageProps, type Kept, OrganizationAdminPage } from "../account/organization_admin_page";
import { useLoaded } from "../account/use_loaded";
import { EndpointsPart } from "./endpoints_part";
import { WebhooksApi } from "./webhooks_api";

/** Where an organisation's events are sent, for members who look after it. */
export function WebhooksPage(about: AskedPageProps) {
  return (
    <OrganizationAdminPage {...about} title={(t) => t.webhooksTitle} notYours={(t) => t.webhooksNotYours}>
      {(kept) => <Webhooks {...kept} />}
    </OrganizationAdminPage>
  );
}

function Webhooks(kept: Kept) {
  const { t } = useSpeech();
  const { config, organization } = kept;
  const webhooks = useMemo(() => new WebhooksApi(config.apiUrl, organization.organizationId), [config, organization]);
  const { shown, failed, look } = useLoaded(() => webhooks.list());
  return (
    <>
      <h2>{organization.name}</h2>
      <p>{t.webhooksAbout(organization.name)}</p>
      <Failure of={failed} />
      {shown === null && failed === null && <p role="status">{t.loading}</p>}
      {shown !== null && <EndpointsPart {...kept} webhooks={webhooks} look={look} endpoints={shown} />}
      <section>
        <h2 class="part">{t.verifyTitle}</h2>
        <p>{t.verifyAbout}</p>
        <p>
          <code>{"{webhook-id}.{webhook-timestamp}.{body}"}</code>
        </p>
        <p>
          <a href={`${config.apiUrl}/docs#/Webhook%20endpoints`}>{t.webhooksDocumentation}</a>
        </p>
      </section>
    </>
  );
}
