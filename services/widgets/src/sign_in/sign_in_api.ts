import {
  asList,
  asMoment,
  asMomentOrNull,
  asObject,
  asText,
  RequestFault,
  request,
  requestJson,
  sending,
} from "../site/http";

/** What a group, or everybody, can be made; nobody becomes an owner so. */
export const GIVEN_ROLES = ["admin", "finance", "content", "viewer"] as const;

const NOT_FOUND = 404;

/** How an organisation's people sign in, without the client's secret. */
export interface Connection {
  readonly issuer: string;
  readonly clientId: string;
  /** Of whoever is in none of the groups; null: none. */
  readonly defaultRole: string | null;
  readonly groupRoles: Readonly<Record<string, string>>;
  readonly isRequired: boolean;
  /** What to register at the provider. */
  readonly redirectAddress: string;
  /** What a change of it is decided upon. */
  readonly version: string;
}

/** As it shall be. Without a secret the one that is kept stays. */
export interface NewConnection {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
  readonly defaultRole: string | null;
  readonly groupRoles: Readonly<Record<string, string>>;
  readonly isRequired: boolean;
}

export interface Domain {
  readonly domain: string;
  readonly recordName: string;
  readonly recordType: string;
  readonly recordText: string;
  readonly verifiedAt: Date | null;
  readonly checkedAt: Date | null;
}

/** What a directory is known by, without its secret. */
export interface DirectoryToken {
  readonly id: string;
  readonly lastFour: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** An organisation's own sign-in, by the session of a member who may. Every method throws RequestFault. */
export class SignInApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}`;
  }

  /** Null where none is set up. */
  async connection(): Promise<Connection | null> {
    try {
      return await this.#versioned("GET");
    } catch (reason) {
      if (reason instanceof RequestFault && reason.status === NOT_FOUND && reason.code === "sign_in_not_set_up")
        return null;
      throw reason;
    }
  }

  /** `before`: what the change was decided upon; null where there was none. */
  set(asked: NewConnection, before: Connection | null): Promise<Connection> {
    const { issuer, clientId, clientSecret, defaultRole, groupRoles, isRequired } = asked;
    const secret = clientSecret === null ? {} : { client_secret: clientSecret };
    const body = {
      issuer,
      client_id: clientId,
      ...secret,
      default_role: defaultRole,
      group_roles: groupRoles,
      is_required: isRequired,
    };
    return this.#versioned("POST", body, before === null ? {} : { "If-Match": before.version });
  }

  remove(): Promise<void> {
    return this.#delete("/sign-in");
  }

  domains(): Promise<readonly Domain[]> {
    return this.#ask("/sign-in/domains", "GET", (parsed) => asList(asObject(parsed)["data"]).map(domainFrom));
  }

  claim(domain: string): Promise<Domain> {
    return this.#ask("/sign-in/domains", "POST", domainFrom, { domain });
  }

  /** Looks at the DNS now. */
  check(domain: string): Promise<Domain> {
    return this.#ask(`/sign-in/domains/${encodeURIComponent(domain)}/check`, "POST", domainFrom);
  }

  removeDomain(domain: string): Promise<void> {
    return this.#delete(`/sign-in/domains/${encodeURIComponent(domain)}`);
  }

  tokens(): Promise<readonly DirectoryToken[]> {
    return this.#ask("/directory-tokens", "GET", (parsed) => asList(asObject(parsed)["data"]).map(tokenFrom));
  }

  /** The secret, which is in this answer alone. */
  makeToken(): Promise<string> {
    return this.#ask("/directory-tokens", "POST", (parsed) => asText(asObject(parsed)["secret"]));
  }

  revokeToken(id: string): Promise<DirectoryToken> {
    return this.#ask(`/directory-tokens/${encodeURIComponent(id)}`, "DELETE", tokenFrom);
  }

  async #versioned(method: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Connection> {
    const answer = await request(`${this.#url}/sign-in`, { credentials: "include", ...sending(method, body, headers) });
    return connectionFrom(await answer.json(), answer.headers.get("ETag") ?? "");
  }

  async #delete(path: string): Promise<void> {
    await request(`${this.#url}${path}`, { method: "DELETE", credentials: "include" });
  }

  #ask<Answer>(path: string, method: string, decode: (parsed: unknown) => Answer, body?: object): Promise<Answer> {
    return requestJson(`${this.#url}${path}`, decode, { credentials: "include", ...sending(method, body) });
  }
}

function connectionFrom(parsed: unknown, version: string): Connection {
  const found = asObject(parsed);
  return {
    issuer: asText(found["issuer"]),
    clientId: asText(found["client_id"]),
    defaultRole: found["default_role"] === null ? null : asText(found["default_role"]),
    groupRoles: Object.fromEntries(
      Object.entries(asObject(found["group_roles"])).map(([group, role]) => [group, asText(role)]),
    ),
    isRequired: found["is_required"] === true,
    redirectAddress: asText(found["redirect_address"]),
    version,
  };
}

function domainFrom(parsed: unknown): Domain {
  const found = asObject(parsed);
  return {
    domain: asText(found["domain"]),
    recordName: asText(found["record_name"]),
    recordType: asText(found["record_type"]),
    recordText: asText(found["record_text"]),
    verifiedAt: asMomentOrNull(found["verified_at"]),
    checkedAt: asMomentOrNull(found["checked_at"]),
  };
}

function tokenFrom(parsed: unknown): DirectoryToken {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    lastFour: asText(found["last_four"]),
    createdAt: asMoment(found["created_at"]),
    revokedAt: asMomentOrNull(found["revoked_at"]),
    lastUsedAt: asMomentOrNull(found["last_used_at"]),
  };
}
