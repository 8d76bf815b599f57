import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

import type { Attempt, Words } from "../account/confirming";
import { useSpeech } from "../account/language";
import { StepHeading } from "../site/step_heading";
import { freely, type Guard } from "./refused";
import { type Keeping, SaidMeanwhile, type Seen, save } from "./saving";

/** A form for something that somebody else may change meanwhile. */
export interface FormUpon<Said, Of> {
  /** What it was begun upon. */
  readonly base: Of;
  /** In place of another one, whose button is gone: it takes the focus. */
  readonly isAnew: boolean;
  readonly onSave: (said: Said, guard?: Guard) => Promise<void>;
}

interface VersionedFormProps<Said, Of extends Seen<Said>> {
  readonly of: Of;
  readonly keeping: Keeping<Said, Of>;
  readonly attempt: Attempt;
  /** What the page says once it is saved. */
  readonly saved: Words;
  readonly onSaved?: () => void;
  readonly children: (form: FormUpon<Said, Of>) => ComponentChildren;
}

/** Saves upon what was seen, and asks whose words shall stand where somebody else said something different meanwhile. */
export function VersionedForm<Said, Of extends Seen<Said>>(props: VersionedFormProps<Said, Of>) {
  const { of: latest, keeping, attempt, saved, onSaved = () => {}, children } = props;
  // What is typed was decided upon this, whatever comes meanwhile.
  const [base, setBase] = useState(latest);
  const [begun, setBegun] = useState(0);
  const [conflict, setConflict] = useState<Of | null>(null);
  /** What somebody has said that their own words shall replace. The form goes on as it was begun: nothing in it changes by itself. */
  const replaced = useRef<Of | null>(null);
  const form = useRef<HTMLDivElement>(null);
  const beginAnew = (from: Of) => {
    replaced.current = null;
    setBase(() => from);
    setBegun(begun + 1);
    setConflict(null);
  };
  const onSave = (asked: Said, guard: Guard = freely): Promise<void> => {
    const mine = replaced.current;
    const work = async () => {
      try {
        const now = await guard(() => save(keeping, asked, mine ?? base));
        // The button for one's own words is gone: another form takes the focus.
        if (mine === null) setBase(() => now);
        else beginAnew(now);
        onSaved();
      } catch (reason) {
        if (reason instanceof SaidMeanwhile) setConflict(() => reason.now as Of);
        throw reason;
      }
    };
    setConflict(null);
    return attempt(work, saved);
  };
  const sendMine = (now: Of) => {
    replaced.current = now;
    form.current?.querySelector("form")?.requestSubmit();
  };
  return (
    <>
      <div key={begun} ref={form}>
        {children({ base, isAnew: begun > 0, onSave })}
      </div>
      {conflict !== null && <Meanwhile onMine={() => sendMine(conflict)} onTheirs={() => beginAnew(conflict)} />}
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
