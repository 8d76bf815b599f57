import { beginOrganizationAdminPage } from "../account/begin_organization_admin_page";
import { SignInPage } from "./sign_in_page";

beginOrganizationAdminPage(SignInPage);
