import { useState } from "preact/hooks";

import { Asking } from "../account/asking";
import type { Attempt, Words } from "../account/confirming";
import { useSpeech, wordsOf } from "../account/language";
import { Part } from "../account/part";
import { PictureView } from "../site/pictures";
import { AltChange } from "./alt_form";
import type { Image, Kind } from "./own_api";
import { PictureForm } from "./picture_form";
import type { Parts } from "./profile_part";
import { refusal, sendPicture, type ToSend } from "./sending_pictures";
import { useUntilClosed } from "./use_until_closed";

interface PicturePartProps extends Parts {
  readonly kind: Kind;
  readonly images: readonly Image[];
}

/** A logo or a banner: the one that is shown, those that are not, and how to send another. */
export function PicturePart({ kind, images: all, ...parts }: PicturePartProps) {
  const { t } = useSpeech();
  const { own, profile } = parts;
  const [progress, setProgress] = useState<Words | null>(null);
  const [sent, setSent] = useState(0);
  const images = all.filter((image) => image.kind === kind);
  const shown = images.find(({ state }) => state === "shown") ?? null;
  const send = (attempt: Attempt, asked: ToSend) => {
    const work = async () => {
      await sendPicture(own, asked, (words) => setProgress(() => words));
      setSent(sent + 1);
    };
    return attempt(work, (words) => words.pictureShown).finally(() => setProgress(null));
  };
  return (
    <Part {...parts} title={t.pictureTitle[kind]} about={t.pictureAbout[kind]} saysBelow>
      {(attempt) => (
        <>
          <Shown kind={kind} image={shown} profile={profile} own={own} attempt={attempt} />
          <Unshown images={images.filter((image) => image !== shown)} own={own} attempt={attempt} look={parts.look} />
          {profile.isVerified ? (
            <PictureForm kind={kind} alt={shown?.alt ?? null} sent={sent} onSend={(asked) => send(attempt, asked)} />
          ) : (
            <p>{t.picturesNotYet}</p>
          )}
          <p role="status" class="said">
            {progress === null ? "" : progress(t)}
          </p>
        </>
      )}
    </Part>
  );
}

interface ShownProps extends Pick<Parts, "profile" | "own"> {
  readonly kind: Kind;
  readonly image: Image | null;
  readonly attempt: Attempt;
}

function Shown({ kind, image, profile, own, attempt }: ShownProps) {
  const { t, language } = useSpeech();
  const { name, isOffered, onOpen } = useUntilClosed(image === null);
  return (
    <>
      {image !== null && <PictureView of={profile.pictures[kind]} kind={kind} language={language} />}
      <p ref={name} tabIndex={-1} class={image === null ? undefined : "about"}>
        {image === null ? t.noPicture[kind] : t.picturesAlt(image.alt[language])}
      </p>
      {isOffered && (
        <div class="actions">
          <AltChange kind={kind} image={image} own={own} attempt={attempt} onOpen={onOpen} />
          {image !== null && (
            <Asking
              key={image.id}
              action={t.takeAway}
              about={t.pictureTitle[kind]}
              sentence={t.pictureRemoveAbout}
              yes={t.pictureRemoveNow[kind]}
              no={t.leaveIt}
              onYes={() =>
                void attempt(
                  () => own.remove(image.id),
                  (words) => words.pictureGone,
                )
              }
            />
          )}
        </div>
      )}
    </>
  );
}

interface UnshownProps extends Pick<Parts, "own" | "look"> {
  readonly images: readonly Image[];
  readonly attempt: Attempt;
}

/** Awaited, on their way, or refused, all of which count: what became of them is said here to whoever comes back later. */
function Unshown({ images, own, attempt, look }: UnshownProps) {
  const speech = useSpeech();
  const { t } = speech;
  if (images.length === 0) return null;
  const said = ({ state, refused }: Image) => {
    if (refused !== null) return wordsOf(speech, refusal(refused));
    return state === "awaited" ? t.pictureAwaited : t.pictureMaking;
  };
  return (
    <ul class="rows">
      {images.map((image) => (
        <li key={image.id}>
          <p>{said(image)}</p>
          <div class="actions">
            {image.state === "making" ? (
              <button type="button" class="outlined" onClick={() => void attempt(look)}>
                {t.lookAgain}
              </button>
            ) : (
              <button
                type="button"
                class="outlined"
                onClick={() =>
                  void attempt(
                    () => own.remove(image.id),
                    (words) => words.pictureGone,
                  )
                }
              >
                {t.takeAway}
              </button>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
