import { useRef } from "preact/hooks";

import { useSpeech } from "../account/language";
import { FormField } from "../donate/field";
import { LANGUAGES } from "../language/language";
import { useLayoutOnMount } from "../site/use_on_mount";
import type { AltTexts } from "./own_api";
import { ALT_LENGTH_MAX } from "./picture_rules";
import { proseLineIn, SPOKEN } from "./texts_draft";

interface AltFieldsProps {
  readonly prefix: string;
  readonly alt: AltTexts | null;
  readonly takesFocus?: boolean;
}

/** What a picture shows, in each language of the pages that it stands on. */
export function AltFields({ prefix, alt, takesFocus = false }: AltFieldsProps) {
  const { t } = useSpeech();
  const first = useRef<HTMLInputElement>(null);
  useLayoutOnMount(() => {
    if (takesFocus) first.current?.focus();
  });
  return (
    <fieldset class="field">
      <legend>{t.altTexts}</legend>
      <p class="hint">{t.altTextsAbout}</p>
      {SPOKEN.map((language, at) => (
        <FormField
          key={language}
          id={`${prefix}-${language}`}
          {...(at === 0 ? { inputRef: first } : {})}
          label={LANGUAGES[language]}
          lang={language}
          defaultValue={alt?.[language] ?? ""}
          maxLength={ALT_LENGTH_MAX}
          autocomplete="off"
          fault={undefined}
        />
      ))}
    </fieldset>
  );
}

/** With single spaces, as the API keeps it. */
export function altIn(form: FormData, prefix: string): AltTexts {
  const line = (language: string) => proseLineIn(form, `${prefix}-${language}`);
  return { en: line("en"), de: line("de"), fr: line("fr") };
}
