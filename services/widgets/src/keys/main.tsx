import { beginKeepersPage } from "../account/begin_keepers_page";
import { KeysPage } from "./keys_page";

beginKeepersPage(KeysPage);
