import { speechIn } from "../account/language";
import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { DataPage } from "./data_page";

keepAskedLanguage(location.search);
const asked = new URLSearchParams(location.search).get("org") ?? "";
void start(
  (config) => <DataPage config={config} asked={asked} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);
