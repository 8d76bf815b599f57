import { beginOrganizationAdminPage } from "../account/begin_organization_admin_page";
import { DataPage } from "./data_page";

beginOrganizationAdminPage(DataPage);
