import { beginOrganizationAdminPage } from "../account/begin_organization_admin_page";
import { WebhooksPage } from "./webhooks_page";

beginOrganizationAdminPage(WebhooksPage);
