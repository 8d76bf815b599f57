import type { Language } from "../language/language";
import { isCurrencyCode, type Money } from "../money";
import { type SharingOffer, sharingOfferFrom } from "../site/api";
import { asCount, asList, asObject, asText, request, requestJson, sending } from "../site/http";
import { type Picture, pictureFrom } from "../site/pictures";
import { pause } from "../site/waiting";

export const ANONYMITIES = ["none", "public", "organization"] as const;
export type Anonymity = (typeof ANONYMITIES)[number];

export interface Year {
  readonly year: number;
  /** Days, `2026-07-01`. */
  readonly first: string;
  readonly last: string;
}

export interface Recipient {
  readonly id: string;
  readonly name: string;
  readonly takesAnonymousGifts: boolean;
  readonly logo: Picture | null;
  readonly years: readonly Year[];
}

export interface Receipt {
  readonly id: string;
  readonly number: string;
  /** `valid`, `replaced`, `cancelled`. */
  readonly state: string;
}

export interface OwnGift {
  readonly id: string;
  readonly organizationId: string;
  readonly amount: Money;
  readonly refunded: Money;
  readonly standing: string;
  /** How it came, where the organisation recorded it itself; empty otherwise. */
  readonly method: string;
  /** Of a thing; empty otherwise. */
  readonly description: string;
  readonly fund: string;
  readonly givenOn: string;
  readonly anonymity: Anonymity;
  readonly isOfPlan: boolean;
  readonly isPart: boolean;
  readonly receipts: readonly Receipt[];
  /** What a change of it is decided upon. */
  readonly version: string;
}

export const EXTENTS = ["none", "ticked", "all"] as const;
export type Extent = (typeof EXTENTS)[number];

/** Of which gifts facts are shared for a purpose, and the words that a donor decides by. */
export interface SharingStanding extends SharingOffer {
  readonly extent: Extent;
  /** False where no data is shared any more: what was consented to can be taken back, and nothing given. */
  readonly isOffered: boolean;
}

export interface GiftPage {
  readonly gifts: readonly OwnGift[];
  /** Empty on the last page. */
  readonly nextCursor: string;
}

/** What `POST /v1/donor/documents` takes. */
export type WantedDocument =
  | { readonly kind: "receipt"; readonly donation_id: string; readonly receipt_id: string }
  | { readonly kind: "proof"; readonly donation_id: string }
  | {
      readonly kind: "statement";
      readonly organization_id: string;
      readonly year: number;
      readonly language: Language;
    };

/** A document was not made; asking again later may help. */
export class DocumentFault extends Error {}

const LOOK_MILLISECONDS = 700;
const MOST_LOOKS = 80;

/** A donor's gifts, with the token of their link. Every method throws RequestFault. */
export class GiftsApi {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(apiUrl: string, token: string) {
    this.#url = `${apiUrl}/v1/donor`;
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  recipients(): Promise<readonly Recipient[]> {
    return this.#get("/organisations", (parsed) => asList(asObject(parsed)["data"]).map(recipientFrom));
  }

  gifts(organizationId: string, cursor: string): Promise<GiftPage> {
    const asked = new URLSearchParams({
      organization_id: organizationId,
      limit: "10",
      ...(cursor !== "" && { cursor }),
    });
    return this.#get(`/gifts?${asked}`, (parsed) => {
      const page = asObject(parsed);
      return {
        gifts: asList(page["data"]).map((gift) => giftFrom(gift)),
        nextCursor: asText(page["next_cursor"] ?? ""),
      };
    });
  }

  /** Says who is told of the gift, as it was seen. */
  async changeAnonymity(gift: OwnGift, anonymity: Anonymity): Promise<OwnGift> {
    const response = await this.#post(`/gifts/${gift.id}/anonymity`, { anonymity }, { "If-Match": gift.version });
    return giftFrom(await response.json(), response.headers.get("ETag") ?? "");
  }

  /** Empty where no data is shared. */
  dataSharing(): Promise<readonly SharingStanding[]> {
    return this.#get("/data-sharing", standingsFrom);
  }

  async changeDataSharing({ purpose, wording }: SharingStanding, shares: boolean): Promise<readonly SharingStanding[]> {
    const response = await this.#post("/data-sharing", { purpose, wording, shares });
    return standingsFrom(await response.json());
  }

  async resendReceipt(gift: OwnGift): Promise<void> {
    await this.#post(`/gifts/${gift.id}/receipt-letter`, {});
  }

  /** Asks for a document and waits, at most for a minute, until it is there. Throws DocumentFault too. */
  async document(wanted: WantedDocument): Promise<{ readonly name: string; readonly content: Blob }> {
    const asked = await this.#post("/documents", wanted);
    const id = asText(asObject(await asked.json())["id"]);
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      const { state, name } = await this.#get(`/documents/${id}`, (parsed) => {
        const document = asObject(parsed);
        return { state: asText(document["state"]), name: asText(document["filename"] ?? "") };
      });
      if (state === "failed") break;
      if (state === "ready") {
        const response = await request(`${this.#url}/documents/${id}/content`, { headers: this.#headers });
        return { name, content: await response.blob() };
      }
      await pause(LOOK_MILLISECONDS);
    }
    throw new DocumentFault("not made");
  }

  #get<Answer>(path: string, decode: (parsed: unknown) => Answer): Promise<Answer> {
    return requestJson(`${this.#url}${path}`, decode, { headers: this.#headers });
  }

  #post(path: string, body: object, more: Readonly<Record<string, string>> = {}): Promise<Response> {
    return request(`${this.#url}${path}`, sending("POST", body, { ...this.#headers, ...more }));
  }
}

function standingsFrom(parsed: unknown): readonly SharingStanding[] {
  const body = asObject(parsed);
  const isOffered = body["degraded"] !== true;
  return asList(body["data"]).map((each) => {
    const extent = EXTENTS.find((known) => known === asObject(each)["extent"]);
    if (extent === undefined) throw new TypeError("not an extent");
    return { ...sharingOfferFrom(each), extent, isOffered };
  });
}

function recipientFrom(parsed: unknown): Recipient {
  const recipient = asObject(parsed);
  return {
    id: asText(recipient["id"]),
    name: asText(recipient["name"]),
    takesAnonymousGifts: recipient["takes_anonymous_gifts"] === true,
    logo: pictureFrom(recipient["logo"]),
    years: asList(recipient["years"]).map((each) => {
      const { year, first, last } = asObject(each);
      return { year: asCount(year), first: asText(first), last: asText(last) };
    }),
  };
}

function giftFrom(parsed: unknown, version?: string): OwnGift {
  const gift = asObject(parsed);
  const anonymity = ANONYMITIES.find((known) => known === gift["anonymity"]);
  if (anonymity === undefined) throw new TypeError("not an anonymity");
  return {
    id: asText(gift["id"]),
    organizationId: asText(gift["organization_id"]),
    amount: moneyFrom(gift["amount"]),
    refunded: moneyFrom(gift["refunded"]),
    standing: asText(gift["standing"]),
    method: asText(gift["method"] ?? ""),
    description: asText(gift["description"] ?? ""),
    fund: asText(gift["fund"]),
    givenOn: asText(gift["given_on"]),
    anonymity,
    isOfPlan: typeof gift["plan_id"] === "string",
    isPart: typeof gift["split_id"] === "string",
    receipts: asList(gift["receipts"]).map((each) => {
      const { id, number, state } = asObject(each);
      return { id: asText(id), number: asText(number), state: asText(state) };
    }),
    version: version ?? asText(gift["version"]),
  };
}

function moneyFrom(parsed: unknown): Money {
  const answer = asObject(parsed);
  const currency = asText(answer["currency"]);
  if (!isCurrencyCode(currency)) throw new TypeError("not a currency code");
  return { minorUnits: BigInt(asText(answer["minor_units"])), currency };
}
