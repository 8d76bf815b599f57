import { start } from "../site/start";
import { type Arrival, OnboardingPage } from "./onboarding_page";

const KEPT_AS = "amply-invitation";

const arrival = arrivedBy(new URLSearchParams(location.search));
const token = takeToken();
void start((config) => (
  <OnboardingPage
    config={config}
    token={token}
    arrival={arrival}
    onExpired={() => sessionStorage.removeItem(KEPT_AS)}
  />
));

/** Stripe sends people `back` when they are done, or here `again` when its link was used or is too old. */
function arrivedBy(query: URLSearchParams): Arrival {
  if (query.has("again")) return "again";
  return query.has("back") ? "back" : "letter";
}

/** The invitation's token leaves the address bar at once; this tab keeps it, since Stripe's pages come in between. */
function takeToken(): string {
  const given = location.hash.slice(1);
  if (given.startsWith("v1.")) sessionStorage.setItem(KEPT_AS, given);
  if (location.hash !== "" || location.search !== "") history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem(KEPT_AS) ?? "";
}
