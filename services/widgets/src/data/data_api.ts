import type { Money } from "../money";
import { moneyFrom } from "../site/api";
import { asCount, asList, asMoment, asObject, asText, type JsonObject, requestJson } from "../site/http";

/** A number of people, told so that it tells of none of them. `about`: rounded down to tens. */
export type People = { readonly said: "about"; readonly people: number } | { readonly said: "fewer" | "nearly_all" };

/** Consents of one month, `2026-10`. */
export interface Consents {
  readonly month: string;
  readonly gave: People;
  readonly ticked: People;
  readonly withdrew: People;
}

export interface Dataset {
  readonly id: string;
  readonly title: string;
  /** Null where nobody of the organisation hands it in. */
  readonly isOpen: boolean | null;
  readonly latestRelease: number | null;
  /** Why nothing was released the last time. */
  readonly refused: string | null;
  /** Of all organisations together. */
  readonly isShared: boolean;
}

export interface Release {
  readonly number: number;
  readonly releasedAt: Date;
  readonly withdrawnAt: Date | null;
  readonly policy: string;
  readonly rows: number;
  readonly k: number;
  readonly l: number | null;
}

/** What a certificate says of one file. Shares are decimals, as it has them. */
export interface CertifiedPart {
  readonly file: string;
  readonly rows: number;
  readonly people: number;
  readonly k: number;
  readonly l: number | null;
  readonly t: string | null;
  readonly loss: string;
  readonly suppressed: number;
}

export interface Certificate {
  readonly filename: string;
  readonly text: string;
  readonly parts: readonly CertifiedPart[];
}

export interface Use {
  readonly month: string;
  readonly contractId: string;
  readonly answers: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Share {
  readonly period: string;
  readonly datasetId: string;
  readonly amount: Money;
  readonly transferId: string;
  readonly entryId: string;
  /** Null until a published checkpoint covers it. */
  readonly index: number | null;
}

/** A page of a list; `next` asks for the one after it, null on the last. */
export interface Listed<Item> {
  readonly isDegraded: boolean;
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** What an organisation sees of its data, by the session of a member who may. Every method throws RequestFault. */
export class DataApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}/data`;
  }

  consents(): Promise<Listed<Consents>> {
    return this.#list("/consents", null, consentsFrom);
  }

  /** With the one of all organisations first. */
  datasets(cursor: string | null): Promise<Listed<Dataset>> {
    return this.#ask("/datasets", cursor, (parsed) => {
      const page = pageFrom(parsed, (each) => datasetFrom(each, false));
      const shared = asObject(parsed)["shared"];
      return shared === null ? page : { ...page, items: [datasetFrom(shared, true), ...page.items] };
    });
  }

  releases(datasetId: string, cursor: string | null): Promise<Listed<Release>> {
    return this.#list(`/datasets/${encodeURIComponent(datasetId)}/releases`, cursor, releaseFrom);
  }

  /** Null where there is none any more. */
  certificate(datasetId: string, number: number): Promise<Certificate | null> {
    return this.#ask(
      `/datasets/${encodeURIComponent(datasetId)}/releases/${number}/certificate`,
      null,
      certificateFrom,
    );
  }

  usage(datasetId: string, cursor: string | null): Promise<Listed<Use>> {
    return this.#list(`/datasets/${encodeURIComponent(datasetId)}/usage`, cursor, useFrom);
  }

  revenue(cursor: string | null): Promise<Listed<Share>> {
    return this.#list("/revenue", cursor, shareFrom);
  }

  #list<Item>(path: string, cursor: string | null, decode: (parsed: unknown) => Item): Promise<Listed<Item>> {
    return this.#ask(path, cursor, (parsed) => pageFrom(parsed, decode));
  }

  #ask<Answer>(path: string, cursor: string | null, decode: (parsed: unknown) => Answer): Promise<Answer> {
    const query = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    return requestJson(`${this.#url}${path}${query}`, decode, { credentials: "include" });
  }
}

function pageFrom<Item>(parsed: unknown, decode: (parsed: unknown) => Item): Listed<Item> {
  const page = asObject(parsed);
  return {
    isDegraded: page["degraded"] === true,
    items: asList(page["data"]).map(decode),
    next: textOrNull(page, "next_cursor"),
  };
}

function peopleFrom(parsed: unknown): People {
  const { said, people } = asObject(parsed);
  if (said === "about") return { said, people: asCount(people) };
  if (said === "fewer" || said === "nearly_all") return { said };
  throw new TypeError("not a number of people");
}

function consentsFrom(parsed: unknown): Consents {
  const { month, gave, ticked, withdrew } = asObject(parsed);
  return { month: asText(month), gave: peopleFrom(gave), ticked: peopleFrom(ticked), withdrew: peopleFrom(withdrew) };
}

function datasetFrom(parsed: unknown, isShared: boolean): Dataset {
  const found = asObject(parsed);
  const state = textOrNull(found, "state");
  return {
    id: asText(found["id"]),
    title: asText(found["title"]),
    isOpen: state === null ? null : state === "open",
    latestRelease: countOrNull(found, "latest_release"),
    refused: textOrNull(found, "refused"),
    isShared,
  };
}

function releaseFrom(parsed: unknown): Release {
  const found = asObject(parsed);
  const withdrawnAt = textOrNull(found, "withdrawn_at");
  return {
    number: asCount(found["number"]),
    releasedAt: asMoment(found["released_at"]),
    withdrawnAt: withdrawnAt === null ? null : new Date(withdrawnAt),
    policy: asText(found["policy"]),
    rows: asCount(found["rows"]),
    k: asCount(found["k"]),
    l: countOrNull(found, "l_min"),
  };
}

function certificateFrom(parsed: unknown): Certificate | null {
  const found = asObject(parsed);
  if (found["degraded"] === true) return null;
  return {
    filename: asText(found["filename"]),
    text: asText(found["text"]),
    parts: asList(found["parts"]).map(partFrom),
  };
}

function partFrom(parsed: unknown): CertifiedPart {
  const found = asObject(parsed);
  return {
    file: asText(found["file"]),
    rows: asCount(found["rows"]),
    people: asCount(found["people"]),
    k: asCount(found["k"]),
    l: countOrNull(found, "l_min"),
    t: textOrNull(found, "t_max"),
    loss: asText(found["loss"]),
    suppressed: asCount(found["suppressed"]),
  };
}

function useFrom(parsed: unknown): Use {
  const found = asObject(parsed);
  return {
    month: asText(found["month"]),
    contractId: asText(found["contract_id"]),
    answers: asCount(found["answers"]),
    files: asCount(found["files"]),
    bytes: asCount(found["bytes"]),
  };
}

function shareFrom(parsed: unknown): Share {
  const found = asObject(parsed);
  return {
    period: asText(found["period"]),
    datasetId: asText(found["dataset_id"]),
    amount: moneyFrom(found["amount"]),
    transferId: asText(found["transfer_id"]),
    entryId: asText(found["entry_id"]),
    index: countOrNull(found, "index"),
  };
}

/** Absent is null too: a list that is never longer than a page has no cursor. */
function textOrNull(found: JsonObject, name: string): string | null {
  return (found[name] ?? null) === null ? null : asText(found[name]);
}

function countOrNull(found: JsonObject, name: string): number | null {
  return (found[name] ?? null) === null ? null : asCount(found[name]);
}
