import { beginKeepersPage } from "../account/begin_keepers_page";
import { DataPage } from "./data_page";

beginKeepersPage(DataPage);
