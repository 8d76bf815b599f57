import { speechIn } from "../account/language";
import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { OrganizationPage } from "./organization_page";

keepAskedLanguage(location.search);
const asked = new URLSearchParams(location.search).get("org") ?? "";
void start(
  (config) => <OrganizationPage config={config} asked={asked} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);
