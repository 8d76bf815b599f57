import { beginKeepersPage } from "../account/begin_keepers_page";
import { SignInPage } from "./sign_in_page";

beginKeepersPage(SignInPage);
