import { useState } from "preact/hooks";
import { useSpeech } from "../account/language";
import { FormField } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { type NewKey, SCOPES } from "./keys_api";

const LIFETIMES = [30, 90, 365] as const;

/** A key to make: what for, what it may do, and for how long. */
export function KeyForm({ onMake }: { readonly onMake: (asked: NewKey) => Promise<void> }) {
  const { t } = useSpeech();
  const [isEmpty, setEmpty] = useState(false);
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    const said = new FormData(form);
    const scopes = said.getAll("scope").map(String);
    const days = Number(said.get("lifetime"));
    return once(async () => {
      setEmpty(scopes.length === 0);
      if (scopes.length === 0) return;
      await onMake({ name: String(said.get("key-name")), scopes, lifetimeDays: days === 0 ? null : days });
      form.reset();
    })(event);
  };
  return (
    <form onSubmit={submit}>
      <h2 class="part">{t.makeKey}</h2>
      <FormField
        id="key-name"
        label={t.keyName}
        hint={t.keyNameHint}
        maxLength={60}
        autocomplete="off"
        fault={undefined}
      />
      <fieldset class="field scopes" aria-describedby="scope-fault">
        <legend>{t.keyScopes}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="choice">
            <input type="checkbox" name="scope" value={scope} />
            <span>
              {t.scopeMeans[scope]} <code>{scope}</code>
            </span>
          </label>
        ))}
        <p class="fault" id="scope-fault" role="alert">
          {isEmpty ? t.noScope : ""}
        </p>
      </fieldset>
      <div class="field">
        <label for="lifetime">{t.keyLifetime}</label>
        <div class="input">
          <select id="lifetime" name="lifetime">
            <option value="0">{t.keyForever}</option>
            {LIFETIMES.map((days) => (
              <option key={days} value={days}>
                {t.keyDays(days)}
              </option>
            ))}
          </select>
        </div>
      </div>
      <button type="submit" class="primary">
        {t.makeKey}
      </button>
    </form>
  );
}
