import { render } from "preact";

import { type DonationRequest, donationUrl, isOrganizationId } from "../address";
import { formatMoney, isCurrencyCode, parseMinorUnits } from "../money";
import styles from "./amply_button.css";

/** Known only while a classic script runs; a module has none, and cannot know which site it came from. */
const SCRIPT_URL = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : "";

interface Request extends DonationRequest {
  readonly label: string;
  readonly opensTab: boolean;
}

interface Fault {
  readonly code: "organization_invalid" | "amount_invalid" | "currency_invalid" | "return_url_invalid";
  readonly message: string;
}

/**
 * `<amply-button organization="org_…" amount="2500" currency="EUR" label="…" target="_blank">fallback link</amply-button>`
 *
 * - `amount`: minor units; absent, the donor chooses. `currency`: ISO 4217, default EUR.
 * - `return-url`: where the donor can go back to afterwards, on a site that the organisation has allowed.
 * - `target`: `_blank` opens a new tab, anything else this one.
 * - Events, bubbling out of shadow trees: `amply:loaded`, `amply:opened`, `amply:error` (detail: code, message).
 *
 * It is a link, not a script that opens windows: it works with every blocker, middle click and screen reader. Where
 * the script does not run, or the attributes are wrong, visitors see the element's own content, the fallback link.
 */
class AmplyButton extends HTMLElement {
  static readonly observedAttributes = ["organization", "amount", "currency", "label", "target", "return-url"];

  readonly #root = this.attachShadow({ mode: "open" });
  #announced = false;
  #fault = "";

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    // A constructed sheet needs no style-src in the host page's policy; a <style> element would.
    this.#root.adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    this.#show();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#show();
  }

  #show(): void {
    const request = readRequest(this);
    // biome-ignore lint/correctness/noVoidTypeReturn: the published button has these bytes
    if ("code" in request) return this.#refuse(request);
    this.#fault = "";
    const url = donationUrl(new URL("..", SCRIPT_URL), request);
    render(<DonateLink request={request} url={url} onOpen={() => this.#tell("opened", { url })} />, this.#root);
    if (this.#announced) return;
    this.#announced = true;
    this.#tell("loaded", { url });
  }

  #refuse(fault: Fault): void {
    render(<slot />, this.#root);
    if (this.#fault === fault.code) return;
    this.#fault = fault.code;
    this.#tell("error", { ...fault });
  }

  #tell(name: "loaded" | "opened" | "error", detail: Readonly<Record<string, string>>): void {
    this.dispatchEvent(new CustomEvent(`amply:${name}`, { bubbles: true, composed: true, detail }));
  }
}

function readRequest(element: HTMLElement): Request | Fault {
  const organization = element.getAttribute("organization") ?? "";
  const units = element.getAttribute("amount");
  const currency = element.getAttribute("currency") ?? "EUR";
  if (!isOrganizationId(organization)) return fault("organization_invalid", "organization must be an id like org_…");
  if (!isCurrencyCode(currency)) return fault("currency_invalid", "currency must be three capital letters, like EUR");
  const minorUnits = units === null ? null : parseMinorUnits(units);
  if (units !== null && minorUnits === null) {
    return fault("amount_invalid", "amount must be a whole number of minor units above zero, like 2500");
  }
  const returnTo = readReturn(element.getAttribute("return-url"));
  if (returnTo === undefined) return fault("return_url_invalid", "return-url must be an address like https://…/thanks");
  const amount = minorUnits === null ? null : { minorUnits, currency };
  const label = element.getAttribute("label")?.trim() || (amount === null ? "Donate" : `Donate ${formatMoney(amount)}`);
  return { organization, currency, amount, returnTo, label, opensTab: element.getAttribute("target") === "_blank" };
}

/** A whole address, of one that may be relative to the page; null without one, undefined where it is none. */
function readReturn(given: string | null): string | null | undefined {
  if (given === null) return null;
  try {
    const url = new URL(given, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function fault(code: Fault["code"], message: string): Fault {
  return { code, message };
}

function DonateLink({ request, url, onOpen }: { request: Request; url: string; onOpen: () => void }) {
  return (
    <a part="button" href={url} target={request.opensTab ? "_blank" : "_self"} rel="noopener" onClick={onOpen}>
      {request.label}
      {request.opensTab && <span class="hint"> (opens in a new tab)</span>}
    </a>
  );
}

if (SCRIPT_URL === "") {
  console.warn("amply-button: embed the script as in its snippet, without type=module; the fallback links stay.");
} else if (customElements.get("amply-button") === undefined) {
  // Two copies on one page (a theme's and a plugin's) are common; the first one serves both.
  customElements.define("amply-button", AmplyButton);
}
