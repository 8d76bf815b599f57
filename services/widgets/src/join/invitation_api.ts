import type { Language } from "../language/language";
import { asMoment, asObject, asText, request, requestJson, sending } from "../site/http";

/** What somebody is invited to. */
export interface Invitation {
  readonly organizationId: string;
  readonly organization: string;
  readonly role: string;
  /** Where the letter went: whoever accepts has this address. */
  readonly email: string;
  /** Null where staff of the platform invite. */
  readonly invitedBy: string | null;
  readonly expiresAt: Date;
  readonly isRegistered: boolean;
}

/** What whoever holds an invitation's letter may do, signed in or not. Every method throws RequestFault. */
export class InvitationApi {
  readonly #url: string;
  readonly #headers: { Authorization: string };

  constructor(apiUrl: string, token: string) {
    this.#url = `${apiUrl}/v1/invitation`;
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  show(): Promise<Invitation> {
    return requestJson(this.#url, invitationFrom, { headers: this.#headers });
  }

  async makeAccount(password: string, language: Language): Promise<void> {
    await request(`${this.#url}/account`, sending("POST", { password, language }, this.#headers));
  }

  async decline(): Promise<void> {
    await request(`${this.#url}/decline`, { method: "POST", headers: this.#headers });
  }
}

function invitationFrom(parsed: unknown): Invitation {
  const found = asObject(parsed);
  return {
    organizationId: asText(found["organization_id"]),
    organization: asText(found["organization"]),
    role: asText(found["role"]),
    email: asText(found["email"]),
    invitedBy: found["invited_by"] === null ? null : asText(found["invited_by"]),
    expiresAt: asMoment(found["expires_at"]),
    isRegistered: found["is_registered"] === true,
  };
}
