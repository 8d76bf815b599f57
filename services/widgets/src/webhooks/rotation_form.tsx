import { FormButtons } from "../account/form_buttons";
import { useSpeech } from "../account/language";
import { FormSelect } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";

const HOURS = [0, 24, 72, 168] as const;
const HOURS_USUALLY = 24;

interface RotationFormProps {
  readonly prefix: string;
  readonly onRotate: (hours: number) => Promise<void>;
  readonly onLeave: () => void;
}

/** A new key, and how long the present one signs beside it. */
export function RotationForm({ prefix, onRotate, onLeave }: RotationFormProps) {
  const { t } = useSpeech();
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const said = new FormData(event.currentTarget as HTMLFormElement);
    return once(() => onRotate(Number(said.get(`${prefix}hours`))))(event);
  };
  return (
    <form onSubmit={submit}>
      <p>{t.rotateWebhookKeyAbout}</p>
      <FormSelect id={`${prefix}hours`} label={t.formerKeyEnds} fault={undefined}>
        {HOURS.map((hours) => (
          <option key={hours} value={hours} selected={hours === HOURS_USUALLY}>
            {t.formerKeyHours(hours)}
          </option>
        ))}
      </FormSelect>
      <FormButtons action={t.rotateWebhookKeyNow} onLeave={onLeave} />
    </form>
  );
}
