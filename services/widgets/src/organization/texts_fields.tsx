import { useState } from "preact/hooks";

import { useSpeech } from "../account/language";
import { FormField, FormText } from "../donate/field";
import { LANGUAGES } from "../language/language";
import { SPOKEN, type TextsByLanguage } from "./texts_draft";

interface TextsFieldsProps {
  readonly legend: string;
  readonly about: string;
  readonly texts: TextsByLanguage;
  /** Of the fields' names, where a page has more than one such group. */
  readonly prefix?: string;
  readonly fault: (name: string) => string | undefined;
}

/** A line and a longer text in each language that the page speaks. */
export function TextsFields({ legend, about, texts, prefix = "", fault }: TextsFieldsProps) {
  const { t, language: spoken, list } = useSpeech();
  // Another language of the page closes nothing that is being written in.
  const [first] = useState(spoken);
  const others = Object.keys(texts).filter((language) => !SPOKEN.some((each) => each === language));
  const names = new Intl.DisplayNames(spoken, { type: "language" });
  return (
    <fieldset class="field languages-of">
      <legend>{legend}</legend>
      <p class="hint">{about}</p>
      {others.length > 0 && <p class="hint">{t.otherLanguages(list(others.map((each) => names.of(each) ?? each)))}</p>}
      {SPOKEN.map((language) => (
        <details key={language} class="options" open={language === first || texts[language] !== undefined}>
          <summary>{LANGUAGES[language]}</summary>
          <FormField
            id={`${prefix}tagline-${language}`}
            label={t.tagline}
            hint={t.taglineHint}
            lang={language}
            defaultValue={texts[language]?.tagline ?? ""}
            required={false}
            maxLength={140}
            autocomplete="off"
            fault={fault(`${prefix}tagline-${language}`)}
          />
          <FormText
            id={`${prefix}about-${language}`}
            label={t.aboutText}
            lang={language}
            defaultValue={texts[language]?.about ?? ""}
            rows={6}
            maxLength={4000}
            fault={fault(`${prefix}about-${language}`)}
          />
        </details>
      ))}
    </fieldset>
  );
}

/** Opens what the field stands in, so that it can be seen and focused. */
export function showField(form: HTMLFormElement, name: string): void {
  const field = form.querySelector<HTMLElement>(`[name="${name}"]`);
  const folded = field?.closest("details");
  if (folded) folded.open = true;
  field?.focus();
}
