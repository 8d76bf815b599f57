import type { Language } from "../language/language";
import { asList, asObject, asText, request, requestJson, sending } from "../site/http";
import { type Picture, pictureFrom } from "../site/pictures";
import type { Seen } from "./saving";

/** Five megabytes on a slow line. */
const UPLOAD_MILLISECONDS = 300_000;

export const KINDS = ["logo", "banner"] as const;
export type Kind = (typeof KINDS)[number];

/** What an organisation says of itself in one language. */
export interface ProfileText {
  readonly tagline: string;
  readonly about: string;
}

/** What can be said on the page. */
export interface Said {
  readonly name: string;
  /** Empty: none. */
  readonly website: string;
  /** The United Nations' goals that it works for, 1 to 17. */
  readonly goals: readonly number[];
  /** By language, those that the page does not speak included. */
  readonly texts: Readonly<Record<string, ProfileText>>;
  readonly takesAnonymousGifts: boolean;
  readonly returnOrigins: readonly string[];
}

/** An organisation as its own people see it. */
export interface Profile extends Seen<Said> {
  readonly isVerified: boolean;
  /** Whether its name is its own to change: before, it is the application's. */
  readonly isPublic: boolean;
  readonly pictures: Readonly<Record<Kind, Picture | null>>;
}

/** What a picture shows, in each language. */
export type AltTexts = Readonly<Record<Language, string>>;

/** A picture's words as they are changed. */
export type SeenImage = Seen<AltTexts>;

export type ImageState = "awaited" | "making" | "shown" | "refused";

/** A picture on its way, shown, or refused. */
export interface Image {
  readonly id: string;
  readonly kind: Kind;
  readonly state: ImageState;
  readonly alt: AltTexts;
  readonly refused: Refused | null;
}

/** `detail`: the API's own sentence. */
export interface Refused {
  readonly reason: string;
  readonly detail: string;
}

/** A form that takes one file. */
export interface Upload {
  readonly imageId: string;
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** One organisation, by the session of a member who may. Every method throws RequestFault. */
export class OwnApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}`;
  }

  profile(): Promise<Profile> {
    return this.#versioned("", profileFrom, { method: "GET" });
  }

  /** `version`: of what the change was decided upon. */
  change(said: Said, version: string): Promise<Profile> {
    const { name, website, goals, texts, takesAnonymousGifts, returnOrigins } = said;
    const body = {
      name,
      website,
      sdgs: goals,
      texts,
      takes_anonymous_gifts: takesAnonymousGifts,
      return_origins: returnOrigins,
    };
    return this.#versioned("", profileFrom, sending("PATCH", body, { "If-Match": version }));
  }

  images(): Promise<readonly Image[]> {
    return this.#ask("/images", imagesFrom, { method: "GET" });
  }

  image(imageId: string): Promise<SeenImage> {
    return this.#versioned(`/images/${encodeURIComponent(imageId)}`, seenImageFrom, { method: "GET" });
  }

  /** Says what it shows; the picture stays. `version`: as of a change of the profile. */
  describe(imageId: string, alt: AltTexts, version: string): Promise<SeenImage> {
    return this.#versioned(
      `/images/${encodeURIComponent(imageId)}`,
      seenImageFrom,
      sending("PATCH", { alt }, { "If-Match": version }),
    );
  }

  /** A place for one file. */
  offer(kind: Kind, mediaType: string, alt: AltTexts): Promise<Upload> {
    return this.#ask("/images", uploadFrom, sending("POST", { kind, media_type: mediaType, alt }));
  }

  /** Takes up what was uploaded; again, it changes nothing. */
  received(imageId: string): Promise<void> {
    return this.#ask(`/images/${encodeURIComponent(imageId)}/received`, () => {}, { method: "POST" });
  }

  async remove(imageId: string): Promise<void> {
    await request(`${this.#url}/images/${encodeURIComponent(imageId)}`, { method: "DELETE", credentials: "include" });
  }

  async #versioned<Of>(path: string, decode: (parsed: unknown, version: string) => Of, init: RequestInit): Promise<Of> {
    const answer = await request(`${this.#url}${path}`, { credentials: "include", ...init });
    return decode(await answer.json(), answer.headers.get("ETag") ?? "");
  }

  #ask<Answer>(path: string, decode: (parsed: unknown) => Answer, init: RequestInit): Promise<Answer> {
    return requestJson(`${this.#url}${path}`, decode, { credentials: "include", ...init });
  }
}

/** Straight into the store, which learns nothing of who sends it. */
export async function post({ url, fields }: Upload, file: Blob): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  await request(url, { method: "POST", body: form }, UPLOAD_MILLISECONDS);
}

function profileFrom(parsed: unknown, version: string): Profile {
  const found = asObject(parsed);
  const texts = Object.entries(asObject(found["texts"])).map(([language, text]) => [language, textFrom(text)] as const);
  const state = asText(found["state"]);
  return {
    said: {
      name: asText(found["name"]),
      website: found["website"] === null ? "" : asText(found["website"]),
      goals: asList(found["sdgs"]).map(Number),
      texts: Object.fromEntries(texts),
      takesAnonymousGifts: found["takes_anonymous_gifts"] === true,
      returnOrigins: asList(found["return_origins"]).map(asText),
    },
    isVerified: state === "verified",
    isPublic: state === "verified" || state === "suspended",
    pictures: { logo: pictureFrom(found["logo"]), banner: pictureFrom(found["banner"]) },
    version,
  };
}

/** What is said in one language. */
export function textFrom(parsed: unknown): ProfileText {
  const { tagline, about } = asObject(parsed);
  return { tagline: asText(tagline), about: asText(about) };
}

function imagesFrom(parsed: unknown): readonly Image[] {
  return asList(asObject(parsed)["data"]).map((each) => {
    const found = asObject(each);
    return {
      id: asText(found["id"]),
      kind: asText(found["kind"]) as Kind,
      state: asText(found["state"]) as ImageState,
      alt: altFrom(found["alt"]),
      refused: found["refused"] === null ? null : refusedFrom(found["refused"]),
    };
  });
}

function seenImageFrom(parsed: unknown, version: string): SeenImage {
  return { said: altFrom(asObject(parsed)["alt"]), version };
}

function altFrom(parsed: unknown): AltTexts {
  const { en, de, fr } = asObject(parsed);
  return { en: asText(en), de: asText(de), fr: asText(fr) };
}

function refusedFrom(parsed: unknown): Refused {
  const { reason, detail } = asObject(parsed);
  return { reason: asText(reason), detail: asText(detail) };
}

function uploadFrom(parsed: unknown): Upload {
  const found = asObject(parsed);
  const fields = Object.entries(asObject(found["fields"])).map(([name, value]) => [name, asText(value)] as const);
  return { imageId: asText(found["id"]), url: asText(found["url"]), fields: Object.fromEntries(fields) };
}
