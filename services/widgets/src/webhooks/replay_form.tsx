import { useRef } from "preact/hooks";
import { FormButtons } from "../account/form_buttons";
import { Told, useSpeech, wordsOf } from "../account/language";
import { FormField } from "../donate/field";
import { useFieldFaults } from "../organization/refused";
import { showField } from "../organization/texts_fields";
import { useOneAtATime } from "../site/one_at_a_time";
import { localInput, momentOf } from "./local_moment";
import type { Replay } from "./webhooks_api";

const DAY_MILLISECONDS = 86_400_000;

interface ReplayFormProps {
  readonly prefix: string;
  /** Since when nothing arrives: what is probably meant. */
  readonly failingSince: Date | null;
  readonly onSend: (asked: Replay) => Promise<void>;
  readonly onLeave: () => void;
}

/** Which events are sent again: those since a moment. */
export function ReplayForm({ prefix, failingSince, onSend, onLeave }: ReplayFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const field = `${prefix}since`;
  const form = useRef<HTMLFormElement>(null);
  const since = useRef(localInput(failingSince ?? new Date(Date.now() - DAY_MILLISECONDS)));
  const { faults, refuse } = useFieldFaults(
    () => null,
    (name) => form.current && showField(form.current, name),
  );
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const moment = momentOf(String(said.get(field)));
    return once(async () => {
      if (moment === null) return refuse(new Map([[field, new Told((words) => words.replaySinceMissing)]]));
      refuse(new Map());
      await onSend({ since: moment, includesDelivered: said.has(`${prefix}includes-delivered`) });
    })(event);
  };
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <p>{t.replayAbout}</p>
      <FormField
        id={field}
        type="datetime-local"
        label={t.replaySince}
        defaultValue={since.current}
        fault={faults.has(field) ? wordsOf(speech, faults.get(field)) : undefined}
      />
      <label class="choice">
        <input type="checkbox" name={`${prefix}includes-delivered`} />
        <span>{t.replayIncludesDelivered}</span>
      </label>
      <FormButtons action={t.replayNow} onLeave={onLeave} />
    </form>
  );
}
