import { firstLanguage, keepAskedLanguage } from "../language/kept";
import { start } from "../site/start";
import { AccountPage, type Arrival } from "./account_page";
import { backFrom } from "./coming_back";
import { speechIn } from "./language";

const STEPS = ["register", "verify", "reset", "confirm-email"] as const;

keepAskedLanguage(location.search);
const arrival = takeArrival();
void start(
  (config) => <AccountPage config={config} arrival={arrival} />,
  (reason) => speechIn(firstLanguage()).fault(reason),
);

/** What a letter or a provider led here for. Token and code leave the address bar at once and are kept nowhere: they are used once. */
function takeArrival(): Arrival {
  const query = new URLSearchParams(location.search);
  const token = location.hash.slice(1);
  if (location.hash !== "" || location.search !== "") history.replaceState(null, "", location.pathname);
  const back = backFrom(query);
  if (back !== null) return { step: "returned", token: "", back };
  return { step: STEPS.find((step) => query.has(step)) ?? "account", token, back };
}
