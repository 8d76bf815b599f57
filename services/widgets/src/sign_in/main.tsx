import { speechIn } from "../account/language";
import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { SignInPage } from "./sign_in_page";

keepAskedLanguage(location.search);
const asked = new URLSearchParams(location.search).get("org") ?? "";
void start(
  (config) => <SignInPage config={config} asked={asked} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);
