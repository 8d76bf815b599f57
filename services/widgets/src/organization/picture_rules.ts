import type { Kind } from "./own_api";

/** What the API takes: said here before anything is sent, and held to it by a test. */
export const BYTES_MAX = 5 * 1024 * 1024;
export const PIXELS_MAX = 13_000_000;
export const MEDIA_TYPES = ["image/png", "image/jpeg", "image/webp"] as const;
export const ALT_LENGTH_MAX = 250;

export type MediaType = (typeof MEDIA_TYPES)[number];
export type Fault = "noPicture" | "tooManyBytes" | "tooManyPixels" | "logoTooSmall" | "bannerTooSmall";

/** By how a file begins: its name and what the system makes of that may be wrong. Null where it is none of those taken. */
export function mediaTypeOf(beginning: Uint8Array): MediaType | null {
  const says = (at: number, sign: string) =>
    [...sign].every((letter, more) => beginning[at + more] === letter.charCodeAt(0));
  if (says(0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (says(0, "\xff\xd8\xff")) return "image/jpeg";
  return says(0, "RIFF") && says(8, "WEBP") ? "image/webp" : null;
}

/** Pixels, as it is seen: turned upright. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What keeps it from being made; null where nothing does. */
export function faultOf(kind: Kind, { width, height }: Size): Fault | null {
  if (width * height > PIXELS_MAX) return "tooManyPixels";
  if (kind === "logo") return Math.max(width, height) < 512 ? "logoTooSmall" : null;
  return width < 1500 || height < 500 ? "bannerTooSmall" : null;
}
