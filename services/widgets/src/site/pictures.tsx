import type { Language } from "../language/language";
import { asCount, asList, asObject, asText } from "./http";

/** A picture that an organisation shows of itself. */
export interface Picture {
  /** In the format that every browser knows. */
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** What it shows, in each language. */
  readonly alt: Readonly<Record<Language, string>>;
  /** The same as WebP. */
  readonly sources: readonly { readonly url: string; readonly width: number }[];
}

/** As wide as they are drawn: `pictures.css` has the same. */
const DRAWN = { logo: "4rem", banner: "(min-width: 40rem) 36rem, 100vw" } as const;

interface PictureViewProps {
  readonly of: Picture | null;
  readonly kind: keyof typeof DRAWN;
  readonly language: Language;
}

/** In the smallest size that is sharp here; nothing where there is none. Its place is kept before it comes. */
export function PictureView({ of: picture, kind, language }: PictureViewProps) {
  if (picture === null) return null;
  const offered = picture.sources.map(({ url, width }) => `${url} ${width}w`).join(", ");
  return (
    <picture class={kind}>
      <source type="image/webp" srcset={offered} sizes={DRAWN[kind]} />
      <img
        src={picture.url}
        width={picture.width}
        height={picture.height}
        alt={picture.alt[language]}
        decoding="async"
      />
    </picture>
  );
}

export function pictureFrom(parsed: unknown): Picture | null {
  if (parsed === null || parsed === undefined) return null;
  const { url, width, height, alt, sources } = asObject(parsed);
  const { en, de, fr } = asObject(alt);
  return {
    url: asText(url),
    width: asCount(width),
    height: asCount(height),
    alt: { en: asText(en), de: asText(de), fr: asText(fr) },
    sources: asList(sources).map((each) => {
      const source = asObject(each);
      return { url: asText(source["url"]), width: asCount(source["width"]) };
    }),
  };
}
