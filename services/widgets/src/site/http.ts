/** How long one request may take before it counts as failed. */
const REQUEST_MILLISECONDS = 20_000;

/** Longer texts in an answer are not meant for people. */
const LONGEST_SENTENCE = 300;

/** What the pages themselves say of requests, in English: those in several languages have a table of the same names. */
export const OWN_FAULTS = {
  unreachable: "We could not reach the server. Check your connection and try again.",
  unreadable: "The server's answer could not be read. Please try again later.",
  server: "Something went wrong on our side. Please try again in a moment.",
  not_offered: "This is not offered here.",
  form_unreachable: "The payment form could not be loaded. Check your connection or content blocker and try again.",
  unsolved:
    "Your browser could not prove what is asked of it just now. Wait a minute and try again, or use another browser.",
  unchecked: "This page could not be checked. Please reload it and try again.",
} as const;

export type OwnFault = keyof typeof OWN_FAULTS;

/**
 * A request that did not succeed; `message` is one sentence for the person at the page.
 *
 * `status` is 0 when no answer came. `code` and `param` are the problem's (RFC 9457), empty when it names none; where this page
 * speaks for itself, `code` is an OwnFault.
 */
export class RequestFault extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string;
  readonly retryAfterSeconds: number;
  /** What must be solved before the request is repeated, as the problem says it. */
  readonly challenge: unknown;

  constructor(
    message: string,
    about: { status: number; code?: string; param?: string; retryAfterSeconds?: number; challenge?: unknown },
  ) {
    super(message);
    this.status = about.status;
    this.code = about.code ?? "";
    this.param = about.param ?? "";
    this.retryAfterSeconds = about.retryAfterSeconds ?? 0;
    this.challenge = about.challenge;
  }

  static own(code: OwnFault, status: number): RequestFault {
    return new RequestFault(OWN_FAULTS[code], { status, code });
  }

  /** What is asked for is not done in this environment, whenever it is asked for. */
  get isNotOffered(): boolean {
    return isNotOffered(this.code);
  }

  /** The same request may succeed later: no answer, too many requests, still in progress, or a fault of the server's. */
  get isPassing(): boolean {
    if (this.isNotOffered) return false;
    return this.status === 0 || this.status === 409 || this.status === 429 || this.status >= 500;
  }
}

/** What to tell the person at the page, whatever went wrong. */
export function sentenceOf(fault: unknown): string {
  return fault instanceof RequestFault
    ? fault.message
    : "Something went wrong on this page. Please reload it and try again.";
}

/**
 * Credentials travel only where a caller says so: that is the account page, which has a session. `milliseconds`: of patience,
 * where something large is sent. Throws RequestFault.
 */
export async function request(
  url: string | URL,
  init: RequestInit = {},
  milliseconds: number = REQUEST_MILLISECONDS,
): Promise<Response> {
  const limit = AbortSignal.timeout(milliseconds);
  let response: Response;
  try {
    response = await fetch(url, { credentials: "omit", cache: "no-store", ...init, signal: limit });
  } catch {
    throw RequestFault.own("unreachable", 0);
  }
  if (!response.ok) throw await faultFrom(response);
  return response;
}

/** `decode` narrows the parsed answer and throws TypeError where it is not what was promised. Throws RequestFault. */
export async function requestJson<Answer>(
  url: string | URL,
  decode: (parsed: unknown) => Answer,
  init: RequestInit = {},
): Promise<Answer> {
  const response = await request(url, init);
  try {
    return decode(await response.json());
  } catch {
    throw RequestFault.own("unreadable", 502);
  }
}

/** A request with a body of JSON, or without one. */
export function sending(method: string, body?: object, headers: Readonly<Record<string, string>> = {}): RequestInit {
  if (body === undefined) return { method, headers };
  return { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
}

async function faultFrom(response: Response): Promise<RequestFault> {
  let problem: JsonObject = {};
  try {
    if (response.headers.get("content-type")?.includes("json")) problem = asObject(await response.json());
  } catch {
    // A broken body says no more than the status already did.
  }
  return new RequestFault(sentenceIn(problem, response.status), {
    status: response.status,
    code: textOr(problem["code"], ""),
    param: textOr(problem["param"], ""),
    challenge: problem["challenge"],
    retryAfterSeconds: Number(response.headers.get("retry-after") ?? 0) || 0,
  });
}

function isNotOffered(code: string): boolean {
  return code.endsWith("_not_offered");
}

/** What the API says of a server's fault is for those who call it, not for those who sit at the page. */
function sentenceIn(problem: JsonObject, status: number): string {
  if (status >= 500) return isNotOffered(textOr(problem["code"], "")) ? OWN_FAULTS.not_offered : OWN_FAULTS.server;
  const sentence = textOr(problem["detail"], "") || textOr(problem["title"], "") || "The request was not accepted.";
  return sentence.slice(0, LONGEST_SENTENCE);
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** These narrow parsed JSON and throw TypeError. */
export function asObject(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("not an object");
  return value as JsonObject;
}

export function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value;
}

export function asText(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

export function asMoment(value: unknown): Date {
  return new Date(asText(value));
}

export function asMomentOrNull(value: unknown): Date | null {
  return value === null ? null : asMoment(value);
}

/** A count or index: a JSON number, or its decimal string. */
export function asCount(value: unknown): number {
  const count = typeof value === "string" && /^[0-9]+$/.test(value) ? Number(value) : value;
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) throw new TypeError("not a count");
  return count;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
