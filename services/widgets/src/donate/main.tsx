import { readDonationAddress } from "../address";
import { browsersLanguage } from "../language/language";
import { start } from "../site/start";
import { DonatePage } from "./donate_page";
import { speechIn } from "./language";

const address = readDonationAddress(location.search);
hideSecrets();
void start(
  (config) => <DonatePage config={config} address={address} />,
  (reason) => speechIn(address.language ?? browsersLanguage()).fault(reason),
);

/** Stripe sends donors back with the payment's client secret in the address: keep it out of history and screenshots. */
function hideSecrets(): void {
  const url = new URL(location.href);
  for (const name of [...url.searchParams.keys()]) {
    if (/^(payment_intent|setup_intent|redirect_)/.test(name)) url.searchParams.delete(name);
  }
  if (url.href !== location.href) history.replaceState(null, "", url);
}
