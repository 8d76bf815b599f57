import { type Language, localeOf } from "../language/language";
import { type Speech, speaking } from "../language/speech";
import { RequestFault } from "../site/http";
import { DE } from "./texts/de";
import { EN, type Texts } from "./texts/en";
import { FR } from "./texts/fr";

export type PersonSpeech = Speech<Texts>;

export const { speechIn, SpokenIn, useSpeech } = speaking<Texts>({ en: EN, de: DE, fr: FR });

/** A moment where the reader is, to the minute. */
export function momentIn(language: Language, moment: Date): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: "medium", timeStyle: "short" }).format(moment);
}

export type Words = (t: Texts) => string;

/** The same, of a page that has words of its own besides. */
export type WordsIn = (t: Texts, language: Language) => string;

/** What a page itself has to say of why something did not work. */
export class Told extends Error {
  constructor(readonly words: Words) {
    super("told on the page");
  }
}

/** Browsers say with a DOMException that somebody changed their mind, or took too long. */
export function wordsOf({ t, fault }: PersonSpeech, reason: unknown): string {
  if (reason instanceof Told) return reason.words(t);
  if (reason instanceof RequestFault && reason.code === "provider_away") return t.providerAway;
  if (reason instanceof RequestFault && reason.code === "dns_unavailable") return t.dnsAway;
  return reason instanceof DOMException ? t.noPasskeyUsed : fault(reason);
}
