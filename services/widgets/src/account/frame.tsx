import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";

import { Languages, useLanguageAround, useTitle } from "../language/chooser";
import { firstLanguage, keepLanguage } from "../language/kept";
import type { Language } from "../language/language";
import type { SiteConfig } from "../site/config";
import { SpokenIn, speechIn, type WordsIn } from "./language";

interface PeoplesPageProps {
  readonly config: SiteConfig;
  readonly title: WordsIn;
  readonly children: ComponentChildren;
}

/** A page of people's in the reader's language, which they may change at its end. */
export function PeoplesPage({ config, title, children }: PeoplesPageProps) {
  const [language, setLanguage] = useState(firstLanguage);
  const speech = useMemo(() => speechIn(language), [language]);
  useLanguageAround(language, speech.t.skipLink);
  useTitle(title(speech.t, language));
  const choose = (chosen: Language) => {
    keepLanguage(chosen);
    setLanguage(chosen);
  };
  return (
    <SpokenIn value={speech}>
      <h1>{title(speech.t, language)}</h1>
      {config.isTestMode && <p class="notice">{speech.t.testMode}</p>}
      {children}
      <Languages label={speech.t.language} chosen={language} onChoose={choose} />
    </SpokenIn>
  );
}
