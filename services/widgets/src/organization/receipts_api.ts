import type { Language } from "../language/language";
import { asList, asObject, asText, request, sending } from "../site/http";
import type { Seen } from "./saving";

/** What the page knows how to name: whose law, and what its receipts may lack. */
export type Jurisdiction = "US" | "CA" | "GB" | "AU" | "none";
export type Lacking = "registration_number" | "address" | "place" | "signatory";

/** What the organisation says itself of its receipts. */
export interface SaidOfReceipts {
  readonly jurisdiction: Jurisdiction;
  /** Lines. */
  readonly address: readonly string[];
  readonly place: string;
  readonly signatory: string;
  readonly language: Language;
  readonly timeZone: string;
  /** 1 to 12. */
  readonly fiscalYearStarts: number;
  /** Empty: the platform's. */
  readonly colour: string;
}

export interface ReceiptSettings extends Seen<SaidOfReceipts> {
  /** What the jurisdiction may be changed to. */
  readonly offered: readonly Jurisdiction[];
  readonly isOfficial: boolean;
  readonly missing: readonly Lacking[];
  /** The organisation does not change it. As verified only where there is a number. */
  readonly legalName: string;
  /** As verified; the organisation does not change it. */
  readonly registrationNumber: string;
}

/** How one organisation issues receipts, by the session of a member who may. Every method throws RequestFault. */
export class ReceiptsApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}/receipt-settings`;
  }

  settings(): Promise<ReceiptSettings> {
    return this.#versioned({ method: "GET" });
  }

  /** `version`: of what the change was decided upon. */
  change({ timeZone, fiscalYearStarts, colour, ...said }: SaidOfReceipts, version: string): Promise<ReceiptSettings> {
    const body = { ...said, time_zone: timeZone, fiscal_year_starts: fiscalYearStarts, brand_colour: colour };
    return this.#versioned(sending("PATCH", body, { "If-Match": version }));
  }

  async #versioned(init: RequestInit): Promise<ReceiptSettings> {
    const answer = await request(this.#url, { credentials: "include", ...init });
    return settingsFrom(await answer.json(), answer.headers.get("ETag") ?? "");
  }
}

function settingsFrom(parsed: unknown, version: string): ReceiptSettings {
  const found = asObject(parsed);
  return {
    said: {
      jurisdiction: asText(found["jurisdiction"]) as Jurisdiction,
      address: asList(found["address"]).map(asText),
      place: asText(found["place"]),
      signatory: asText(found["signatory"]),
      language: asText(found["language"]) as Language,
      timeZone: asText(found["time_zone"]),
      fiscalYearStarts: Number(found["fiscal_year_starts"]),
      colour: asText(found["brand_colour"]),
    },
    offered: asList(found["jurisdictions"]).map(asText) as Jurisdiction[],
    isOfficial: found["is_official"] === true,
    missing: asList(found["missing"]).map(asText) as Lacking[],
    legalName: asText(found["legal_name"]),
    registrationNumber: asText(found["registration_number"]),
    version,
  };
}
