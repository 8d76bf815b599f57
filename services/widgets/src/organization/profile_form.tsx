import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { useSpeech } from "../account/language";
import { FormField, FormText } from "../donate/field";
import { LANGUAGES } from "../language/language";
import { useOneAtATime } from "../site/one_at_a_time";
import type { Profile, Said } from "./own_api";
import { GOALS, type HalfSaid, halfSaid, saidIn, SPOKEN } from "./profile_draft";

interface ProfileFormProps {
  readonly profile: Profile;
  /** In place of another one, whose button is gone: it takes the focus. */
  readonly isAnew: boolean;
  readonly onSave: (said: Said) => Promise<void>;
}

/** What an organisation says of itself. Nothing typed is lost when something is wrong with it. */
export function ProfileForm({ profile: { said, isPublic }, isAnew, onSave }: ProfileFormProps) {
  const { t } = useSpeech();
  const name = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (isAnew) name.current?.focus();
  }, []);
  const [half, setHalf] = useState<HalfSaid>(new Set());
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    const asked = saidIn(new FormData(form), said);
    return once(async () => {
      const missing = halfSaid(asked);
      setHalf(missing);
      if (missing.size === 0) await onSave(asked);
      else showFirst(form, missing);
    })(event);
  };
  return (
    <form onSubmit={submit}>
      <FormField
        id="name"
        inputRef={name}
        label={t.organizationName}
        hint={isPublic ? "" : t.nameOfApplication}
        readOnly={!isPublic}
        defaultValue={said.name}
        maxLength={200}
        autocomplete="off"
        fault={undefined}
      />
      <FormField
        id="website"
        type="url"
        label={t.website}
        hint={t.websiteHint}
        defaultValue={said.website}
        required={false}
        maxLength={300}
        autocomplete="off"
        fault={undefined}
      />
      <Texts said={said} half={half} />
      <Goals chosen={said.goals} />
      <fieldset class="field scopes">
        <legend>{t.giftsOfStrangers}</legend>
        <label class="choice">
          <input type="checkbox" name="takes-anonymous" defaultChecked={said.takesAnonymousGifts} />
          <span>{t.takesAnonymous}</span>
        </label>
      </fieldset>
      <FormText
        id="return-origins"
        label={t.returnOrigins}
        hint={t.returnOriginsHint}
        defaultValue={said.returnOrigins.join("\n")}
        autocomplete="off"
        spellcheck={false}
        fault={undefined}
      />
      <button type="submit" class="primary">
        {t.profileSave}
      </button>
    </form>
  );
}

/** Opens what it stands in, so that it can be seen and focused. */
function showFirst(form: HTMLFormElement, missing: HalfSaid): void {
  const [first = ""] = missing;
  const field = form.querySelector<HTMLElement>(`[name="${first}"]`);
  const folded = field?.closest("details");
  if (folded) folded.open = true;
  field?.focus();
}

interface TextsProps {
  readonly said: Said;
  readonly half: HalfSaid;
}

function Texts({ said, half }: TextsProps) {
  const { t, language: spoken, list } = useSpeech();
  // Another language of the page closes nothing that is being written in.
  const [first] = useState(spoken);
  const others = Object.keys(said.texts).filter((language) => !SPOKEN.some((each) => each === language));
  const names = new Intl.DisplayNames(spoken, { type: "language" });
  const fault = (name: string) => (half.has(name) ? t.halfSaid : undefined);
  return (
    <fieldset class="field languages-of">
      <legend>{t.profileTexts}</legend>
      <p class="hint">{t.profileTextsAbout}</p>
      {others.length > 0 && <p class="hint">{t.otherLanguages(list(others.map((each) => names.of(each) ?? each)))}</p>}
      {SPOKEN.map((language) => (
        <details key={language} class="options" open={language === first || said.texts[language] !== undefined}>
          <summary>{LANGUAGES[language]}</summary>
          <FormField
            id={`tagline-${language}`}
            label={t.tagline}
            hint={t.taglineHint}
            lang={language}
            defaultValue={said.texts[language]?.tagline ?? ""}
            required={false}
            maxLength={140}
            autocomplete="off"
            fault={fault(`tagline-${language}`)}
          />
          <FormText
            id={`about-${language}`}
            label={t.aboutText}
            lang={language}
            defaultValue={said.texts[language]?.about ?? ""}
            rows={6}
            maxLength={4000}
            fault={fault(`about-${language}`)}
          />
        </details>
      ))}
    </fieldset>
  );
}

function Goals({ chosen }: { readonly chosen: readonly number[] }) {
  const { t } = useSpeech();
  return (
    <fieldset class="field scopes goals">
      <legend>{t.goals}</legend>
      <p class="hint">{t.goalsAbout}</p>
      {GOALS.map((goal) => (
        <label key={goal} class="choice">
          <input type="checkbox" name="goal" value={goal} defaultChecked={chosen.includes(goal)} />
          <span>
            {goal}. {t.goalNames[goal - 1]}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
