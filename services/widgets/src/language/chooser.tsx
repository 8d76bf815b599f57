import { useEffect } from "preact/hooks";

import { LANGUAGES, type Language } from "./language";

interface LanguagesProps {
  readonly label: string;
  readonly chosen: Language;
  readonly onChoose: (language: Language) => void;
}

export function Languages({ label, chosen, onChoose }: LanguagesProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: they are no fields of a form
    <div class="languages" role="group" aria-label={label}>
      {Object.entries(LANGUAGES).map(([language, name]) => (
        <button
          key={language}
          type="button"
          class="outlined"
          lang={language}
          aria-pressed={language === chosen}
          onClick={() => onChoose(language as Language)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

/** What stands around the page's own part: the document's language, and the link that leads past its head. */
export function useLanguageAround(language: Language, skip: string): void {
  useEffect(() => {
    document.documentElement.lang = language;
    const link = document.querySelector(".skip");
    if (link !== null) link.textContent = skip;
  }, [language, skip]);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Amply`;
  }, [title]);
}
