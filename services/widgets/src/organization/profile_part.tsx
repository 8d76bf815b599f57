import { useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { Part } from "../account/part";
import { LANGUAGES } from "../language/language";
import type { OwnApi, Profile, Said } from "./own_api";
import { differing } from "./profile_draft";
import { ProfileForm } from "./profile_form";
import type { Keeping } from "./saving";
import { SPOKEN } from "./texts_draft";
import { VersionedForm } from "./versioned_form";

/** What each part of the page works with. */
export interface Parts extends Kept {
  readonly own: OwnApi;
  readonly profile: Profile;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}

/** What the organisation says of itself, to be changed. */
export function ProfilePart({ profile, ...parts }: Parts) {
  const { t } = useSpeech();
  return (
    <Part {...parts} title={t.profileTitle} about={t.profileAbout} saysBelow>
      {(attempt) => (
        <VersionedForm
          of={profile}
          keeping={profileKeeping(parts.own)}
          attempt={attempt}
          saved={(words) => words.profileSaved}
        >
          {({ base, isAnew, onSave }) => <ProfileForm profile={base} isAnew={isAnew} onSave={onSave} />}
        </VersionedForm>
      )}
    </Part>
  );
}

function profileKeeping(own: OwnApi): Keeping<Said, Profile> {
  return {
    look: () => own.profile(),
    change: (said, version) => own.change(said, version),
    differing: (one, other) => differing(one, other).map((field) => (t) => t.profileFields[field]),
  };
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
