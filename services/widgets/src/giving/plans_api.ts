import { challenged, solutionHeader } from "../challenge/challenged";
import { isCurrencyCode, type Money } from "../money";
import type { PaymentHandle } from "../site/api";
import { asList, asObject, asText, request, requestJson, sending } from "../site/http";

export interface Period {
  readonly dueOn: string;
  readonly amount: Money;
  readonly state: string;
  readonly donationStatus: string;
}

export interface Plan {
  readonly id: string;
  readonly organizationId: string;
  readonly organization: string;
  readonly amount: Money;
  readonly every: string;
  readonly status: string;
  /** Why it is paused or has ended; empty while it is neither. */
  readonly reason: string;
  /** Day of the next gift, `2026-02-28`; empty while none is planned. */
  readonly nextOn: string;
  /** In Stripe's words: `card`, `sepa_debit`; empty where it has none. */
  readonly methodKind: string;
  /** Last characters of the card or account that pays; empty where it has none. */
  readonly last4: string;
  readonly waitsForDonor: boolean;
  readonly periods: readonly Period[];
  /** What a change of it is decided upon: one that was sent twice is made once. */
  readonly version: string;
}

export type Change = "skip" | "resume" | "cancel" | "card/stored";

/** What a donor may do with the token of their link. Every method throws RequestFault. */
export class PlansApi {
  readonly #url: string;
  readonly #token: string;

  constructor(apiUrl: string, token: string) {
    this.#url = `${apiUrl}/v1/donor`;
    this.#token = token;
  }

  plans(): Promise<readonly Plan[]> {
    return requestJson(`${this.#url}/plans`, (parsed) => asList(asObject(parsed)["data"]).map(planFrom), {
      headers: this.#headers(),
    });
  }

  change(plan: Plan, change: Change): Promise<Plan> {
    return this.#post(plan, change, {}, planFrom);
  }

  changeAmount(plan: Plan, amount: Money): Promise<Plan> {
    const body = { amount: { minor_units: amount.minorUnits.toString(), currency: amount.currency } };
    return this.#post(plan, "amount", body, planFrom);
  }

  /** Until a day, `2026-06-15`, or until resumed. */
  pause(plan: Plan, until: string): Promise<Plan> {
    return this.#post(plan, "pause", until === "" ? {} : { until }, planFrom);
  }

  /** To store another card or account (`card`), or to pay what was declined (`pay`). */
  open(plan: Plan, what: "card" | "pay"): Promise<PaymentHandle> {
    return challenged((solution) => this.#post(plan, what, {}, handleFrom, solutionHeader(solution)));
  }

  /** Answered the same whoever gives. `language`: of the letter. */
  async askForLink(email: string, language: string): Promise<void> {
    await request(`${this.#url}/links`, sending("POST", { email, language }));
  }

  #post<Answer>(
    plan: Plan,
    path: string,
    body: object,
    decode: (parsed: unknown) => Answer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const url = `${this.#url}/plans/${encodeURIComponent(plan.id)}/${path}`;
    return requestJson(
      url,
      decode,
      sending("POST", body, { "If-Match": plan.version, ...this.#headers(), ...headers }),
    );
  }

  #headers(): { Authorization: string } {
    return { Authorization: `Bearer ${this.#token}` };
  }
}

function planFrom(parsed: unknown): Plan {
  const plan = asObject(parsed);
  return {
    id: asText(plan["id"]),
    organizationId: asText(plan["organization_id"]),
    organization: asText(plan["organization"]),
    amount: moneyFrom(plan["amount"]),
    every: asText(plan["every"]),
    status: asText(plan["status"]),
    reason: asText(plan["reason"] ?? ""),
    nextOn: asText(plan["next_on"] ?? ""),
    methodKind: asText(plan["method_kind"] ?? ""),
    last4: asText(plan["method_last4"] ?? ""),
    waitsForDonor: plan["waits_for_donor"] === true,
    periods: asList(plan["periods"]).map(periodFrom),
    version: asText(plan["version"]),
  };
}

function periodFrom(parsed: unknown): Period {
  const period = asObject(parsed);
  return {
    dueOn: asText(period["due_on"]),
    amount: moneyFrom(period["amount"]),
    state: asText(period["state"]),
    donationStatus: asText(period["donation_status"] ?? ""),
  };
}

function moneyFrom(parsed: unknown): Money {
  const answer = asObject(parsed);
  const currency = asText(answer["currency"]);
  if (!isCurrencyCode(currency)) throw new TypeError("not a currency code");
  return { minorUnits: BigInt(asText(answer["minor_units"])), currency };
}

function handleFrom(parsed: unknown): PaymentHandle {
  const answer = asObject(parsed);
  return {
    clientSecret: asText(answer["client_secret"]),
    publishableKey: asText(answer["publishable_key"]),
    stripeAccount: asText(answer["stripe_account"]),
  };
}
