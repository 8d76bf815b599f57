import { asObject, asText, requestJson } from "../site/http";

export interface Onboarding {
  readonly name: string;
  readonly takesGifts: boolean;
  /** Why it takes none, in one sentence; empty where it does. */
  readonly reason: string;
  readonly canContinue: boolean;
}

/** What an organisation's staff may do with the token of their invitation. Every method throws RequestFault. */
export class OnboardingApi {
  readonly #url: string;
  readonly #headers: { Authorization: string };

  constructor(apiUrl: string, token: string) {
    this.#url = `${apiUrl}/v1/onboarding`;
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  show(): Promise<Onboarding> {
    return requestJson(this.#url, onboardingFrom, { headers: this.#headers });
  }

  /** The address of Stripe's onboarding, good for one visit: go there at once. */
  link(): Promise<string> {
    return requestJson(`${this.#url}/links`, (parsed) => addressIn(asText(asObject(parsed)["url"])), {
      method: "POST",
      headers: this.#headers,
    });
  }
}

function onboardingFrom(parsed: unknown): Onboarding {
  const found = asObject(parsed);
  return {
    name: asText(found["name"]),
    takesGifts: found["takes_gifts"] === true,
    reason: found["reason"] === null ? "" : asText(found["reason"]),
    canContinue: found["can_continue"] === true,
  };
}

/** Whatever an answer says, the page leads to no script. */
function addressIn(text: string): string {
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("not an address");
  return url.href;
}
