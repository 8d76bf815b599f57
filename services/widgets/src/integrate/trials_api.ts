import type { Language } from "../language/language";
import { asObject, asText, requestJson, sending } from "../site/http";
import type { Trial } from "./commands";

/** Making a test organisation, by the session of whoever tries. Every method throws RequestFault. */
export class TrialsApi {
  readonly #apiUrl: string;

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl;
  }

  make(name: string, language: Language): Promise<Trial> {
    return requestJson(`${this.#apiUrl}/v1/me/test-organisations`, (parsed) => this.#trialFrom(parsed), {
      credentials: "include",
      ...sending("POST", { name, language }),
    });
  }

  takesGifts(organizationId: string): Promise<boolean> {
    const url = `${this.#apiUrl}/v1/public/organisations/${encodeURIComponent(organizationId)}/takes-gifts`;
    return requestJson(url, (parsed) => asObject(parsed)["takes_gifts"] === true);
  }

  #trialFrom(parsed: unknown): Trial {
    const found = asObject(parsed);
    return {
      apiUrl: this.#apiUrl,
      processorUrl: asText(found["processor_url"]),
      organizationId: asText(found["organization_id"]),
      secret: asText(asObject(found["key"])["secret"]),
    };
  }
}
