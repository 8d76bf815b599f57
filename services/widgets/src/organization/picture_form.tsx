import { useEffect, useRef, useState } from "preact/hooks";

import { Told, useSpeech, wordsOf } from "../account/language";
import { FormField } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { AltFields, altIn } from "./alt_fields";
import type { AltTexts, Kind } from "./own_api";
import { look, type PictureFile } from "./picture_file";
import { MEDIA_TYPES } from "./picture_rules";
import type { ToSend } from "./sending_pictures";

interface PictureFormProps {
  readonly kind: Kind;
  /** What the picture that is shown now is said to show. */
  readonly alt: AltTexts | null;
  /** How many were sent from here: with each one the file has been taken, and the form waits for another. */
  readonly sent: number;
  readonly onSend: (asked: ToSend) => Promise<void>;
}

/** A file, what it will look like, and what it shows. */
export function PictureForm({ kind, alt, sent, onSend }: PictureFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const [chosen, setChosen] = useState<PictureFile | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  /** Ends once the file that was chosen last has been looked at. */
  const looked = useRef<Promise<PictureFile | null>>(Promise.resolve(null));
  const field = useRef<HTMLInputElement>(null);
  const once = useOneAtATime();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was sent is chosen no more
  useEffect(() => {
    setChosen(null);
    looked.current = Promise.resolve(null);
    if (field.current !== null) field.current.value = "";
  }, [sent]);
  const choose = async (file: File | undefined): Promise<PictureFile | null> => {
    setChosen(null);
    setFault(null);
    if (file === undefined) return null;
    // Another one may be chosen meanwhile.
    const isStillChosen = () => field.current?.files?.[0] === file;
    try {
      const seen = await look(kind, file);
      if (!isStillChosen()) return null;
      setChosen(seen);
      return seen;
    } catch (reason) {
      if (isStillChosen()) setFault(reason);
      return null;
    }
  };
  const submit = (event: Event) => {
    const said = new FormData(event.currentTarget as HTMLFormElement);
    return once(async () => {
      // A large picture takes its time on a telephone: whoever sends at once means the one that is being looked at.
      const ready = chosen ?? (await looked.current);
      if (ready === null) {
        setFault((known: unknown) => known ?? new Told((words) => words.choosePicture));
        field.current?.focus();
        return;
      }
      await onSend({ kind, chosen: ready, alt: altIn(said, `${kind}-alt`) });
    })(event);
  };
  return (
    <form onSubmit={submit}>
      <FormField
        id={`${kind}-file`}
        type="file"
        label={t.chooseFile[kind]}
        hint={t.fileHint[kind]}
        accept={MEDIA_TYPES.join(",")}
        required={false}
        inputRef={field}
        onChange={(event) => {
          looked.current = choose(event.currentTarget.files?.[0]);
        }}
        fault={fault === null ? undefined : wordsOf(speech, fault)}
      />
      <Preview kind={kind} of={chosen} />
      <AltFields prefix={`${kind}-alt`} alt={alt} />
      <button type="submit" class="primary">
        {t.sendPicture[kind]}
      </button>
    </form>
  );
}

/** As it will be: a logo whole, a banner without what stands over. */
function Preview({ kind, of: chosen }: { readonly kind: Kind; readonly of: PictureFile | null }) {
  const { t } = useSpeech();
  return (
    <div class={`preview preview-${kind}`}>
      {chosen !== null && <img src={chosen.url} alt={t.previewOf[kind]} />}
      <p class="hint" role="status">
        {chosen === null ? "" : t.previewAbout[kind](chosen.width, chosen.height)}
      </p>
    </div>
  );
}
