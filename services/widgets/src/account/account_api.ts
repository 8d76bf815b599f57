import type { Language } from "../language/language";
import { asCount, asList, asMoment, asObject, asText, request, requestJson, sending } from "../site/http";

/** How closely sessions are held to where they begin: not at all, to the network, to the address. */
export const BINDINGS = ["none", "subnet", "strict"] as const;
export type Binding = (typeof BINDINGS)[number];

export interface Person {
  readonly email: string;
  readonly binding: Binding;
  readonly usesApp: boolean;
  readonly passkeys: number;
  readonly codesLeft: number;
}

/** An organisation that somebody is in. */
export interface Membership {
  readonly organizationId: string;
  readonly name: string;
  readonly role: string;
}

/** What an app is told; shown once. */
export interface AppSecret {
  readonly secret: string;
  /** `otpauth:` */
  readonly uri: string;
}

export interface SessionSeen {
  readonly id: string;
  readonly device: string;
  readonly seenAt: Date;
  readonly isThisOne: boolean;
}

export interface Passkey {
  readonly id: string;
  readonly createdAt: Date;
}

/** What a browser is asked for a passkey, as JSON; `ceremony` goes back with its answer. */
export interface Ceremony {
  readonly ceremony: string;
  readonly options: unknown;
}

/** An OpenID provider that signs people in. An organisation's own has its id as a key. */
export interface Provider {
  readonly key: string;
  readonly name: string;
}

/** A provider that signs somebody in. */
export interface Identity {
  readonly id: string;
  readonly provider: string;
  /** Null where it is an organisation's, or not set up here any more. */
  readonly name: string | null;
  readonly createdAt: Date;
}

/** What a provider sent the browser back with. */
export interface Returned {
  readonly state: string;
  readonly code: string;
  readonly iss: string | null;
}

/** Signed in by a provider, or what is still missing: a second factor, or that the account of that address is theirs. */
export type Arrived =
  | ({ readonly needs: "factor" } & NonNullable<SignIn>)
  | { readonly needs: "link"; readonly pending: string }
  | null;

/** Signed in, or what says that the password was right and a second factor is missing. */
export type SignIn = { readonly pending: string; readonly hasPasskeys: boolean } | null;

/** A person's account. The session is a cookie that no script reads: it travels with each of these requests. */
export class AccountApi {
  readonly #url: string;

  constructor(apiUrl: string) {
    this.#url = `${apiUrl}/v1`;
  }

  /** `language`: of the letter. */
  register(email: string, password: string, language: Language): Promise<void> {
    return this.#post("register", { email, password, language });
  }

  verify(token: string, password: string): Promise<void> {
    return this.#post("verify-email", { token, password });
  }

  askForPassword(email: string, language: Language): Promise<void> {
    return this.#post("request-password-reset", { email, language });
  }

  resetPassword(token: string, password: string): Promise<void> {
    return this.#post("reset-password", { token, password });
  }

  confirmEmail(token: string): Promise<void> {
    return this.#post("confirm-email", { token });
  }

  signIn(email: string, password: string): Promise<SignIn> {
    return this.#ask("POST", "auth/login", signInFrom, { email, password });
  }

  showCode(pending: string, code: string): Promise<void> {
    return this.#post("login/factor", { pending, code });
  }

  signOut(everywhere: boolean): Promise<void> {
    return this.#post(everywhere ? "logout-all" : "logout", {});
  }

  confirm(password: string, code: string): Promise<void> {
    return this.#post("confirm", code === "" ? { password } : { password, code });
  }

  me(): Promise<Person> {
    return this.#ask("GET", "auth/me", personFrom);
  }

  /** Ends everything: sessions, memberships, the account. */
  deleteAccount(): Promise<void> {
    return this.#ask("DELETE", "auth/me", nothing);
  }

  changePassword(present: string, password: string): Promise<void> {
    return this.#post("password", { present_password: present, password });
  }

  askForAddress(email: string): Promise<void> {
    return this.#post("email", { email });
  }

  memberships(): Promise<readonly Membership[]> {
    return this.#ask("GET", "me/organisations", (parsed) => asList(asObject(parsed)["data"]).map(membershipFrom));
  }

  /** Answers with the organisation's id. */
  join(token: string): Promise<string> {
    return this.#ask("POST", "me/organisations", (parsed) => asText(asObject(parsed)["organization_id"]), { token });
  }

  async leave(organizationId: string): Promise<void> {
    await request(`${this.#url}/organisations/${encodeURIComponent(organizationId)}/membership`, {
      method: "DELETE",
      credentials: "include",
    });
  }

  beginApp(): Promise<AppSecret> {
    return this.#ask("POST", "auth/factors/totp", appSecretFrom, {});
  }

  /** The recovery codes that come with it. */
  confirmApp(code: string): Promise<readonly string[]> {
    return this.#ask("POST", "auth/factors/totp/confirm", codesFrom, { code });
  }

  removeApp(): Promise<void> {
    return this.#ask("DELETE", "auth/factors/totp", nothing);
  }

  newCodes(): Promise<readonly string[]> {
    return this.#ask("POST", "auth/factors/recovery-codes", codesFrom, {});
  }

  beginConfirmation(): Promise<Ceremony> {
    return this.#ask("POST", "auth/confirm/passkey/options", ceremonyFrom, {});
  }

  confirmByPasskey(ceremony: string, credential: unknown): Promise<void> {
    return this.#post("confirm/passkey", { ceremony, credential });
  }

  /** Ends all sessions, this one too. */
  holdSessions(binding: Binding): Promise<void> {
    return this.#post("security-settings", { ip_binding: binding });
  }

  sessions(): Promise<readonly SessionSeen[]> {
    return this.#ask("GET", "auth/sessions", (parsed) => asList(asObject(parsed)["data"]).map(sessionFrom));
  }

  endSession(id: string): Promise<void> {
    return this.#ask("DELETE", `auth/sessions/${encodeURIComponent(id)}`, nothing);
  }

  passkeys(): Promise<readonly Passkey[]> {
    return this.#ask("GET", "auth/factors/passkeys", (parsed) => asList(asObject(parsed)["data"]).map(passkeyFrom));
  }

  beginPasskey(): Promise<Ceremony> {
    return this.#ask("POST", "auth/factors/passkeys/options", ceremonyFrom, {});
  }

  /** The recovery codes that come with a first factor; none otherwise. */
  addPasskey(ceremony: string, credential: unknown, name: string): Promise<readonly string[]> {
    return this.#ask("POST", "auth/factors/passkeys", codesFrom, { ceremony, credential, name });
  }

  removePasskey(id: string): Promise<void> {
    return this.#ask("DELETE", `auth/factors/passkeys/${encodeURIComponent(id)}`, nothing);
  }

  beginSignIn(pending: string | null): Promise<Ceremony> {
    return this.#ask("POST", "auth/login/passkey/options", ceremonyFrom, { pending });
  }

  showPasskey(ceremony: string, credential: unknown, pending: string | null): Promise<void> {
    return this.#post("login/passkey", { ceremony, credential, pending });
  }

  providers(): Promise<readonly Provider[]> {
    return this.#ask("GET", "auth/providers", (parsed) => asList(asObject(parsed)["data"]).map(providerFrom));
  }

  /** The organisation's that addresses of this domain sign in by; null where there is none. */
  findProvider(email: string): Promise<Provider | null> {
    return this.#ask("POST", "auth/outside/find", foundFrom, { email });
  }

  /** Where the browser goes. `language`: of the letters to whoever has no account yet. */
  beginOutside(provider: string, language: Language, email: string | null): Promise<URL> {
    return this.#ask("POST", "auth/outside", addressFrom, { provider, language, email });
  }

  finishOutside({ state, code, iss }: Returned): Promise<Arrived> {
    return this.#ask("POST", "auth/outside/finish", arrivedFrom, { state, code, iss });
  }

  linkOutside(pending: string, password: string, code: string | null): Promise<void> {
    return this.#post("outside/link", { pending, password, code });
  }

  identities(): Promise<readonly Identity[]> {
    return this.#ask("GET", "auth/identities", (parsed) => asList(asObject(parsed)["data"]).map(identityFrom));
  }

  /** Where the browser goes. */
  beginLink(provider: string): Promise<URL> {
    return this.#ask("POST", "auth/identities", addressFrom, { provider });
  }

  finishLink({ state, code, iss }: Returned): Promise<void> {
    return this.#post("identities/finish", { state, code, iss });
  }

  unlink(id: string): Promise<void> {
    return this.#ask("DELETE", `auth/identities/${encodeURIComponent(id)}`, nothing);
  }

  #post(path: string, body: object): Promise<void> {
    return this.#ask("POST", `auth/${path}`, nothing, body);
  }

  #ask<Answer>(method: string, path: string, decode: (parsed: unknown) => Answer, body?: object): Promise<Answer> {
    return requestJson(`${this.#url}/${path}`, decode, { credentials: "include", ...sending(method, body) });
  }
}

function nothing(): void {}

function signInFrom(parsed: unknown): SignIn {
  const found = asObject(parsed);
  if (found["status"] === "signed_in") return null;
  return { pending: asText(found["pending"]), hasPasskeys: asList(found["methods"]).includes("passkey") };
}

function arrivedFrom(parsed: unknown): Arrived {
  const found = asObject(parsed);
  if (found["status"] === "link_required") return { needs: "link", pending: asText(found["pending"]) };
  const needed = signInFrom(parsed);
  return needed === null ? null : { needs: "factor", ...needed };
}

/** A script's address, or a file's, is no place to send a browser. */
function addressFrom(parsed: unknown): URL {
  const address = new URL(asText(asObject(parsed)["url"]));
  if (!["https:", "http:"].includes(address.protocol)) throw new TypeError("not an address of the web");
  return address;
}

function providerFrom(parsed: unknown): Provider {
  const found = asObject(parsed);
  return { key: asText(found["key"]), name: asText(found["name"]) };
}

function foundFrom(parsed: unknown): Provider | null {
  const { provider, name } = asObject(parsed);
  return provider === null ? null : { key: asText(provider), name: asText(name) };
}

function identityFrom(parsed: unknown): Identity {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    provider: asText(found["provider"]),
    name: found["name"] === null ? null : asText(found["name"]),
    createdAt: asMoment(found["created_at"]),
  };
}

function personFrom(parsed: unknown): Person {
  const found = asObject(parsed);
  const factors = asObject(found["factors"]);
  return {
    email: asText(found["email"]),
    binding: BINDINGS.find((known) => known === found["ip_binding"]) ?? "none",
    usesApp: factors["totp"] === true,
    passkeys: asCount(factors["passkeys"]),
    codesLeft: asCount(factors["recovery_codes_left"]),
  };
}

function sessionFrom(parsed: unknown): SessionSeen {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    device: asText(found["device"]),
    seenAt: asMoment(found["seen_at"]),
    isThisOne: found["is_this_one"] === true,
  };
}

function passkeyFrom(parsed: unknown): Passkey {
  const found = asObject(parsed);
  return { id: asText(found["id"]), createdAt: asMoment(found["created_at"]) };
}

function membershipFrom(parsed: unknown): Membership {
  const found = asObject(parsed);
  return { organizationId: asText(found["organization_id"]), name: asText(found["name"]), role: asText(found["role"]) };
}

function appSecretFrom(parsed: unknown): AppSecret {
  const found = asObject(parsed);
  return { secret: asText(found["secret"]), uri: asText(found["uri"]) };
}

function ceremonyFrom(parsed: unknown): Ceremony {
  const found = asObject(parsed);
  return { ceremony: asText(found["ceremony"]), options: asObject(found["options"]) };
}

function codesFrom(parsed: unknown): readonly string[] {
  const codes = asObject(parsed)["recovery_codes"];
  return codes === null ? [] : asList(codes).map(asText);
}
