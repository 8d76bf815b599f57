import type { ComponentChildren } from "preact";

import { inLanguage } from "../language/language";
import { useSpeech } from "./language";

/** To the donors' own page, in the language of this one. */
export function GivingLink({ children }: { children: ComponentChildren }) {
  const { language } = useSpeech();
  return <a href={inLanguage("/giving/", language)}>{children}</a>;
}
