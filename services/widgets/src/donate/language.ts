import { type Said as SaidOf, type Speech as SpeechOf, speaking } from "../language/speech";
import { DE } from "./texts/de";
import { EN, type Texts } from "./texts/en";
import { FR } from "./texts/fr";

export type Speech = SpeechOf<Texts>;
export type Said = SaidOf<Texts>;

/** Of the donation page, for one organisation and for several. */
export const { speechIn, SpokenIn, useSpeech } = speaking<Texts>({ en: EN, de: DE, fr: FR });
