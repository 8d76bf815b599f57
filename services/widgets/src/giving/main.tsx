import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { GivingPage } from "./giving_page";
import { speechIn } from "./language";

const KEPT_AS = "amply-donor-link";

keepAskedLanguage(location.search);
const token = takeToken();
void start(
  (config) => <GivingPage config={config} token={token} onForget={() => sessionStorage.removeItem(KEPT_AS)} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);

/** The link's token leaves the address bar at once; this tab keeps it, since a bank's page may come in between. */
function takeToken(): string {
  const given = location.hash.slice(1);
  if (/^v[0-9]+\./.test(given)) sessionStorage.setItem(KEPT_AS, given);
  // Stripe's secrets too, with which it sends donors back from their bank's page.
  if (location.hash !== "" || location.search !== "") history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem(KEPT_AS) ?? "";
}
