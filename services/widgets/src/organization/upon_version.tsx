import type { ComponentChildren } from "preact";
import { Fragment } from "preact";
import { useState } from "preact/hooks";

import type { Attempt, Words } from "../account/confirming";
import { useSpeech } from "../account/language";
import { StepHeading } from "../site/step_heading";
import { freely, type Guard } from "./refused";
import { type Keeping, SaidMeanwhile, save, type Seen } from "./saving";

/** A form for something that somebody else may change meanwhile. */
export interface FormUpon<Said, Of> {
  /** What it was begun upon. */
  readonly base: Of;
  /** In place of another one, whose button is gone: it takes the focus. */
  readonly isAnew: boolean;
  readonly onSave: (said: Said, guard?: Guard) => Promise<void>;
}

interface UponVersionProps<Said, Of extends Seen<Said>> {
  readonly of: Of;
  readonly keeping: Keeping<Said, Of>;
  readonly attempt: Attempt;
  /** What the page says once it is saved. */
  readonly saved: Words;
  readonly onSaved?: () => void;
  readonly children: (form: FormUpon<Said, Of>) => ComponentChildren;
}

interface Conflict<Of> {
  readonly now: Of;
  readonly onMine: () => void;
}

/** Saves upon what was seen, and asks whose words shall stand where somebody else said something different meanwhile. */
export function UponVersion<Said, Of extends Seen<Said>>(props: UponVersionProps<Said, Of>) {
  const { of: latest, keeping, attempt, saved, onSaved = () => {}, children } = props;
  // What is typed was decided upon this, whatever comes meanwhile.
  const [base, setBase] = useState(latest);
  const [begun, setBegun] = useState(0);
  const [conflict, setConflict] = useState<Conflict<Of> | null>(null);
  const beginAnew = (from: Of) => {
    setBase(() => from);
    setBegun(begun + 1);
    setConflict(null);
  };
  const saving = (asked: Said, before: Of, guard: Guard, then: (now: Of) => void): Promise<void> => {
    const work = async () => {
      try {
        then(await guard(() => save(keeping, asked, before)));
        onSaved();
      } catch (reason) {
        if (reason instanceof SaidMeanwhile) {
          const now = reason.now as Of;
          setConflict({ now, onMine: () => void saving(asked, now, guard, beginAnew) });
        }
        throw reason;
      }
    };
    setConflict(null);
    return attempt(work, saved);
  };
  return (
    <>
      <Fragment key={begun}>
        {children({
          base,
          isAnew: begun > 0,
          onSave: (said, guard = freely) => saving(said, base, guard, (now) => setBase(() => now)),
        })}
      </Fragment>
      {conflict !== null && <Meanwhile onMine={conflict.onMine} onTheirs={() => beginAnew(conflict.now)} />}
    </>
  );
}

interface MeanwhileProps {
  readonly onMine: () => void;
  readonly onTheirs: () => void;
}

function Meanwhile({ onMine, onTheirs }: MeanwhileProps) {
  const { t } = useSpeech();
  return (
    <section class="once">
      <StepHeading>{t.meanwhileTitle}</StepHeading>
      <p>{t.meanwhileAbout}</p>
      <p class="actions">
        <button type="button" class="outlined" onClick={onTheirs}>
          {t.showTheirs}
        </button>
        <button type="button" class="outlined" onClick={onMine}>
          {t.saveMine}
        </button>
      </p>
    </section>
  );
}
