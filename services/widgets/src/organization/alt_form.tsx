import type { Attempt, Words } from "../account/confirming";
import { FormButtons } from "../account/form_buttons";
import { Told, useSpeech } from "../account/language";
import { LANGUAGES, type Language } from "../language/language";
import { useOneAtATime } from "../site/one_at_a_time";
import { AltFields, altIn } from "./alt_fields";
import { DisclosureForm } from "./disclosure_form";
import type { AltTexts, Image, Kind, OwnApi, SeenImage } from "./own_api";
import type { Keeping } from "./saving";
import { SPOKEN } from "./texts_draft";
import { VersionedForm } from "./versioned_form";

interface AltChangeProps {
  readonly kind: Kind;
  /** Null: none is shown any more. */
  readonly image: Image | null;
  readonly own: OwnApi;
  readonly attempt: Attempt;
  readonly onOpen: (isOpen: boolean) => void;
}

/** What a picture shows, said anew without sending it again. */
export function AltChange({ kind, image, own, attempt, onOpen }: AltChangeProps) {
  const { t } = useSpeech();
  const load = async () => {
    if (image === null) throw new Told((t) => t.pictureReplaced);
    // The words are this picture's, whichever is shown while they are written.
    const keeping = altKeeping(own, image.id);
    return { keeping, seen: await keeping.look() };
  };
  return (
    <DisclosureForm
      action={t.changeAlt}
      about={t.pictureTitle[kind]}
      title={t.altTexts}
      attempt={attempt}
      load={load}
      onOpen={onOpen}
    >
      {({ keeping, seen }, close) => (
        <VersionedForm of={seen} keeping={keeping} attempt={attempt} saved={(words) => words.altSaved} onSaved={close}>
          {({ base, isAnew, onSave }) => (
            <AltForm kind={kind} alt={base.said} isAnew={isAnew} onSave={onSave} onLeave={close} />
          )}
        </VersionedForm>
      )}
    </DisclosureForm>
  );
}

interface AltFormProps {
  readonly kind: Kind;
  readonly alt: AltTexts;
  readonly isAnew: boolean;
  readonly onSave: (alt: AltTexts) => Promise<void>;
  readonly onLeave: () => void;
}

function AltForm({ kind, alt, isAnew, onSave, onLeave }: AltFormProps) {
  const { t } = useSpeech();
  const once = useOneAtATime();
  const prefix = `${kind}-said`;
  const submit = (event: Event) => {
    const asked = altIn(new FormData(event.currentTarget as HTMLFormElement), prefix);
    return once(() => onSave(asked))(event);
  };
  return (
    <form onSubmit={submit}>
      <AltFields prefix={prefix} alt={alt} takesFocus={isAnew} />
      <FormButtons action={t.saveAlt} onLeave={onLeave} />
    </form>
  );
}

function altKeeping(own: OwnApi, imageId: string): Keeping<AltTexts, SeenImage> {
  return {
    look: () => own.image(imageId),
    change: (alt, version) => own.describe(imageId, alt, version),
    differing: (one, other) => SPOKEN.filter((language) => one[language] !== other[language]).map(namedIn),
  };
}

/** Languages by their own names, which are the same in each. */
function namedIn(language: Language): Words {
  return () => LANGUAGES[language];
}
