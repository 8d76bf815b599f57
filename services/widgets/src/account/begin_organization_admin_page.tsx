import type { ComponentType } from "preact";

import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { speechIn } from "./language";
import type { AskedPageProps } from "./organization_admin_page";

/** Begins a page of those who look after an organisation, in the language and for the organisation that its address asks for. */
export function beginOrganizationAdminPage(Page: ComponentType<AskedPageProps>): void {
  keepAskedLanguage(location.search);
  const asked = new URLSearchParams(location.search).get("org") ?? "";
  void start(
    (config) => <Page config={config} asked={asked} />,
    (reason) => speechIn(firstLanguage()).fault(reason),
  );
}
