import { useRef, useState } from "preact/hooks";

import { useSpeech } from "../account/language";
import { FormField, FormText } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import type { Profile, Said } from "./own_api";
import { GOALS, type HalfSaid, halfSaid, saidIn } from "./profile_draft";
import { showField, TextsFields } from "./texts_fields";

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
  useLayoutOnMount(() => {
    if (isAnew) name.current?.focus();
  });
  const [half, setHalf] = useState<HalfSaid>(new Set());
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    const asked = saidIn(new FormData(form), said);
    return once(async () => {
      const missing = halfSaid(asked);
      setHalf(missing);
      if (missing.size === 0) await onSave(asked);
      else showField(form, [...missing][0] ?? "");
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
      <TextsFields
        legend={t.profileTexts}
        about={t.profileTextsAbout}
        texts={said.texts}
        fault={(field) => (half.has(field) ? t.halfSaid : undefined)}
      />
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
