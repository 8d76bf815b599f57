import { speechIn } from "../account/language";
import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { IntegratePage } from "./integrate_page";

keepAskedLanguage(location.search);
void start(
  (config) => <IntegratePage config={config} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);
