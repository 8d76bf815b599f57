import { speechIn } from "../account/language";
import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { JoinPage } from "./join_page";

keepAskedLanguage(location.search);
const token = takeToken();
void start(
  (config) => <JoinPage config={config} token={token} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);

/** The letter's token leaves the address bar at once and is kept nowhere: who reloads opens the letter again. */
function takeToken(): string {
  const token = location.hash.slice(1);
  if (location.hash !== "" || location.search !== "") history.replaceState(null, "", location.pathname);
  return token;
}
