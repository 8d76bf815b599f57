import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { AccountPage, type Arrival } from "./account_page";
import { speechIn } from "./language";

const STEPS = ["register", "verify", "reset", "confirm-email"] as const;

keepAskedLanguage(location.search);
const arrival = takeArrival();
void start(
  (config) => <AccountPage config={config} arrival={arrival} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);

/** What a letter led here for. Its token leaves the address bar at once and is kept nowhere: it is used once. */
function takeArrival(): Arrival {
  const query = new URLSearchParams(location.search);
  const token = location.hash.slice(1);
  if (location.hash !== "" || location.search !== "") history.replaceState(null, "", location.pathname);
  return { step: STEPS.find((step) => query.has(step)) ?? "account", token };
}
