import { beginOrganizationAdminPage } from "../account/begin_organization_admin_page";
import { OrganizationPage } from "./organization_page";

beginOrganizationAdminPage(OrganizationPage);
