import type { Seen } from "../organization/saving";
import {
  asCount,
  asList,
  asMoment,
  asMomentOrNull,
  asObject,
  asText,
  request,
  requestJson,
  sending,
} from "../site/http";

/** All types of events, in the order they are offered. */
export const EVENT_TYPES = [
  "donation.succeeded",
  "donation.refunded",
  "donation.disputed",
  "donation.reversed",
  "payout.paid",
  "payout.failed",
  "plan.started",
  "plan.paused",
  "plan.resumed",
  "plan.ended",
] as const;

/** What members say of an endpoint. */
export interface EndpointSaid {
  readonly url: string;
  readonly description: string;
  readonly eventTypes: readonly string[];
}

/** What signatures are verified with. */
export interface PublicKey {
  /** `whpk_` and base64. */
  readonly text: string;
  /** When it signs no more; null: it has not been replaced. */
  readonly expiresAt: Date | null;
}

export interface Endpoint {
  readonly id: string;
  readonly said: EndpointSaid;
  readonly isEnabled: boolean;
  /** Null while it is enabled. */
  readonly disabledReason: string | null;
  /** The first failure since the last success. */
  readonly failingSince: Date | null;
  /** Those that sign now, the newest first. */
  readonly publicKeys: readonly PublicKey[];
}

export type SeenEndpoint = Endpoint & Seen<EndpointSaid>;

export type DeliveryState = "pending" | "delivered" | "failed";

/** One event on its way to one endpoint. */
export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
}

/** The newest first; `next` leads to older ones. */
export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly next: string | null;
}

/** One request to an endpoint. */
export interface DeliveryAttempt {
  readonly at: Date;
  /** Null: no answer came. */
  readonly status: number | null;
  /** Null: the answer was 2xx. */
  readonly error: string | null;
  readonly milliseconds: number;
}

/** Which events are sent again. */
export type Replay = { readonly eventId: string } | { readonly since: Date; readonly includesDelivered: boolean };

/** The webhook endpoints of one organisation, by the session of a member who may. Every method throws RequestFault. */
export class WebhooksApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}/webhook-endpoints`;
  }

  list(): Promise<readonly Endpoint[]> {
    return this.#ask("", "GET", (parsed) => asList(asObject(parsed)["data"]).map(endpointFrom));
  }

  show(id: string): Promise<SeenEndpoint> {
    return this.#versioned(id, { method: "GET" });
  }

  /** Where there is just this one already, it is the answer. */
  add(said: EndpointSaid): Promise<Endpoint> {
    return this.#ask("", "POST", endpointFrom, bodyOf(said));
  }

  /** `version`: of what the change was decided upon. */
  change(id: string, said: EndpointSaid, version: string): Promise<SeenEndpoint> {
    return this.#versioned(id, sending("PATCH", bodyOf(said), { "If-Match": version }));
  }

  /** Whether events are sent there: as it stands now, whoever changed it. */
  async enable(id: string, enabled: boolean): Promise<void> {
    const { version } = await this.show(id);
    await this.#versioned(id, sending("PATCH", { enabled }, { "If-Match": version }));
  }

  async remove(id: string): Promise<void> {
    await request(`${this.#url}/${encodeURIComponent(id)}`, { method: "DELETE", credentials: "include" });
  }

  /** A new key signs from now on, and the present one beside it for so many hours. */
  rotateKey(id: string, hours: number): Promise<void> {
    return this.#ask(`/${encodeURIComponent(id)}/keys`, "POST", () => {}, { former_ends_after_hours: hours });
  }

  sendTest(id: string): Promise<void> {
    return this.#ask(`/${encodeURIComponent(id)}/test`, "POST", () => {});
  }

  /** How many are due now that were not on their way. */
  replay(id: string, asked: Replay): Promise<number> {
    const body =
      "eventId" in asked
        ? { event_id: asked.eventId }
        : { since: asked.since.toISOString(), includes_delivered: asked.includesDelivered };
    const path = `/${encodeURIComponent(id)}/replays`;
    return this.#ask(path, "POST", (parsed) => asCount(asObject(parsed)["deliveries"]), body);
  }

  /** `cursor`: where a former page ended; null: from the newest on. */
  deliveries(id: string, cursor: string | null): Promise<DeliveryPage> {
    const from = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    return this.#ask(`/${encodeURIComponent(id)}/deliveries${from}`, "GET", pageFrom);
  }

  /** The newest hundred, the oldest first. */
  attempts(id: string, deliveryId: string): Promise<readonly DeliveryAttempt[]> {
    const path = `/${encodeURIComponent(id)}/deliveries/${encodeURIComponent(deliveryId)}`;
    return this.#ask(path, "GET", (parsed) => asList(asObject(parsed)["log"]).map(attemptFrom));
  }

  async #versioned(id: string, init: RequestInit): Promise<SeenEndpoint> {
    const answer = await request(`${this.#url}/${encodeURIComponent(id)}`, { ...init, credentials: "include" });
    return { ...endpointFrom(await answer.json()), version: answer.headers.get("ETag") ?? "" };
  }

  #ask<Answer>(path: string, method: string, decode: (parsed: unknown) => Answer, body?: object): Promise<Answer> {
    return requestJson(`${this.#url}${path}`, decode, { credentials: "include", ...sending(method, body) });
  }
}

function bodyOf({ url, description, eventTypes }: EndpointSaid): object {
  return { url, description, event_types: eventTypes };
}

function endpointFrom(parsed: unknown): Endpoint {
  const found = asObject(parsed);
  return {
    id: asText(found["id"]),
    said: {
      url: asText(found["url"]),
      description: asText(found["description"]),
      eventTypes: asList(found["event_types"]).map(asText),
    },
    isEnabled: found["state"] === "enabled",
    disabledReason: found["disabled_reason"] === null ? null : asText(found["disabled_reason"]),
    failingSince: asMomentOrNull(found["failing_since"]),
    publicKeys: asList(found["public_keys"]).map(keyFrom),
  };
}

function keyFrom(parsed: unknown): PublicKey {
  const found = asObject(parsed);
  return { text: asText(found["public_key"]), expiresAt: asMomentOrNull(found["expires_at"]) };
}

function pageFrom(parsed: unknown): DeliveryPage {
  const found = asObject(parsed);
  return {
    deliveries: asList(found["data"]).map(deliveryFrom),
    next: found["next_cursor"] === null ? null : asText(found["next_cursor"]),
  };
}

function deliveryFrom(parsed: unknown): Delivery {
  const found = asObject(parsed);
  const state = asText(found["state"]);
  if (state !== "pending" && state !== "delivered" && state !== "failed") throw new TypeError("not a delivery");
  return {
    id: asText(found["id"]),
    eventId: asText(found["event_id"]),
    eventType: asText(found["event_type"]),
    state,
    attempts: asCount(found["attempts"]),
    nextAttemptAt: asMomentOrNull(found["next_attempt_at"]),
    createdAt: asMoment(found["created_at"]),
  };
}

function attemptFrom(parsed: unknown): DeliveryAttempt {
  const found = asObject(parsed);
  return {
    at: asMoment(found["at"]),
    status: found["status"] === null ? null : asCount(found["status"]),
    error: found["error"] === null ? null : asText(found["error"]),
    milliseconds: asCount(found["milliseconds"]),
  };
}
