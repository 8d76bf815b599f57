import { useMemo } from "preact/hooks";
import { type AskedPageProps, type Kept, OrganizationAdminPage } from "../account/organization_admin_page";
import { SELLERS } from "../account/roles";
import { ConsentsSection } from "./consents_section";
import { DataApi } from "./data_api";
import { DatasetsSection } from "./datasets_section";
import { DATA_TEXTS } from "./language";
import { RevenueSection } from "./revenue_section";

/** Who sees what data brings: the API decides, this is what the page offers. */
const PAID: readonly string[] = ["owner", "finance"];

/** What an organisation sees of its data. It changes nothing. */
export function DataPage(about: AskedPageProps) {
  return (
    <OrganizationAdminPage
      {...about}
      roles={SELLERS}
      title={(_, language) => DATA_TEXTS[language].title}
      notYours={(_, language) => DATA_TEXTS[language].notYours}
    >
      {(kept) => <Sections {...kept} />}
    </OrganizationAdminPage>
  );
}

function Sections({ config, organization: { organizationId, name, role } }: Kept) {
  const api = useMemo(() => new DataApi(config.apiUrl, organizationId), [config, organizationId]);
  return (
    <div class="data">
      <p class="lead">{name}</p>
      <ConsentsSection api={api} />
      <DatasetsSection api={api} />
      <RevenueSection config={config} api={api} isTheirs={PAID.includes(role)} />
    </div>
  );
}
