import { beginKeepersPage } from "../account/begin_keepers_page";
import { OrganizationPage } from "./organization_page";

beginKeepersPage(OrganizationPage);
