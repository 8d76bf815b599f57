import { beginOrganizationAdminPage } from "../account/begin_organization_admin_page";
import { KeysPage } from "./keys_page";

beginOrganizationAdminPage(KeysPage);
