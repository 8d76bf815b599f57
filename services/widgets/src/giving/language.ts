import { type Speech, speaking } from "../language/speech";
import { DE } from "./texts/de";
import { EN, type Texts } from "./texts/en";
import { FR } from "./texts/fr";

export type GivingSpeech = Speech<Texts>;

export const { speechIn, SpokenIn, useSpeech } = speaking<Texts>({ en: EN, de: DE, fr: FR });
