import { asList, asMomentOrNull, asObject, asText, requestJson, sending } from "../site/http";

/** All that a key may be let do, in the order they are offered. */
export const SCOPES = [
  "donations:write",
  "donations:read",
  "payouts:read",
  "organisation:read",
  "organisation:write",
  "data:write",
  "data:read",
] as const;

/** An API key, without its secret. */
export interface Key {
  readonly id: string;
  readonly name: string;
  readonly lastFour: string;
  readonly isLive: boolean;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Null: until it is revoked. */
  readonly lifetimeDays: number | null;
}

/** The keys of one organisation, by the session of a member who may. Every method throws RequestFault. */
export class KeysApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}/keys`;
  }

  list(): Promise<readonly Key[]> {
    return this.#ask("", "GET", (parsed) => asList(asObject(parsed)["data"]).map(keyFrom));
  }

  /** The secret, which is in this answer alone. */
  make({ name, scopes, lifetimeDays }: NewKey): Promise<string> {
    return this.#ask("", "POST", (parsed) => asText(asObject(parsed)["secret"]), {
      name,
      scopes,
      lifetime_days: lifetimeDays,
    });
  }

  revoke(id: string): Promise<Key> {
    return this.#ask(`/${encodeURIComponent(id)}`, "DELETE", keyFrom);
  }

  #ask<Answer>(path: string, method: string, decode: (parsed: unknown) => Answer, body?: object): Promise<Answer> {
    return requestJson(`${this.#url}${path}`, decode, { credentials: "include", ...sending(method, body) });
  }
}

function keyFrom(parsed: unknown): Key {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    name: asText(found["name"]),
    lastFour: asText(found["last_four"]),
    isLive: found["is_live"] === true,
    scopes: asList(found["scopes"]).map(asText),
    expiresAt: asMomentOrNull(found["expires_at"]),
    revokedAt: asMomentOrNull(found["revoked_at"]),
    lastUsedAt: asMomentOrNull(found["last_used_at"]),
  };
}
