import { useState } from "preact/hooks";

import type { Attempt } from "../account/confirming";
import type { Kept } from "../account/keepers_page";
import { useSpeech } from "../account/language";
import { Part } from "../account/part";
import { LANGUAGES } from "../language/language";
import { StepHeading } from "../site/step_heading";
import type { OwnApi, Profile, Said } from "./own_api";
import { SPOKEN } from "./profile_draft";
import { ProfileForm } from "./profile_form";
import { SaidMeanwhile, save } from "./saving";

/** What each part of the page works with. */
export interface Parts extends Kept {
  readonly own: OwnApi;
  readonly profile: Profile;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}

/** What somebody wanted to save, and what another one has saved meanwhile. */
interface Conflict {
  readonly asked: Said;
  readonly now: Profile;
}

/** What the organisation says of itself, to be changed. */
export function ProfilePart({ profile: latest, ...parts }: Parts) {
  const { t } = useSpeech();
  // What is typed was decided upon this, whatever comes meanwhile.
  const [base, setBase] = useState(latest);
  const [begun, setBegun] = useState(0);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const beginAnew = (from: Profile) => {
    setBase(from);
    setBegun(begun + 1);
    setConflict(null);
  };
  const saving = (attempt: Attempt, asked: Said, before: Profile, onSaved: (saved: Profile) => void) => {
    const work = async () => {
      try {
        onSaved(await save(parts.own, asked, before));
      } catch (reason) {
        if (reason instanceof SaidMeanwhile) setConflict({ asked, now: reason.now });
        throw reason;
      }
    };
    setConflict(null);
    return attempt(work, (words) => words.profileSaved);
  };
  return (
    <Part {...parts} title={t.profileTitle} about={t.profileAbout} saysBelow>
      {(attempt) => (
        <>
          <ProfileForm key={begun} profile={base} isAnew={begun > 0} onSave={(asked) => saving(attempt, asked, base, setBase)} />
          {conflict !== null && (
            <Meanwhile
              onMine={() => void saving(attempt, conflict.asked, conflict.now, beginAnew)}
              onTheirs={() => beginAnew(conflict.now)}
            />
          )}
        </>
      )}
    </Part>
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

/** The same for those who may look alone. */
export function ProfileShown({ profile: { said } }: { readonly profile: Profile }) {
  const { t, language: spoken } = useSpeech();
  const names = new Intl.DisplayNames(spoken, { type: "language" });
  const goals = said.goals.map((goal) => `${goal}. ${t.goalNames[goal - 1]}`);
  const languages = [...new Set([...SPOKEN.filter((language) => language in said.texts), ...Object.keys(said.texts)])];
  return (
    <section>
      <h2 class="part">{t.profileTitle}</h2>
      <p class="hint">{t.profileNotYours}</p>
      <dl class="facts">
        <Fact name={t.organizationName} value={said.name} />
        <Fact name={t.website} value={said.website || t.nothingYet} />
        <Fact name={t.goals} value={goals.join("; ") || t.nothingYet} />
        {languages.map((language) => (
          <div key={language} lang={language}>
            <dt>{LANGUAGES[language as keyof typeof LANGUAGES] ?? names.of(language)}</dt>
            <dd>
              <strong>{said.texts[language]?.tagline}</strong>
              <p class="lines">{said.texts[language]?.about}</p>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
