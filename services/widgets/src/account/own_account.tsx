import { useState } from "preact/hooks";

import { useOnMount } from "../site/use_on_mount";
import type { AccountApi, Binding, Identity, Membership, Passkey, Person, Provider, SessionSeen } from "./account_api";
import { ActionResult } from "./action_result";
import { AppSection } from "./app_section";
import { Asking } from "./asking";
import { useAttempts, type Words } from "./confirming";
import { CredentialsSection } from "./credentials_section";
import { IdentitiesSection } from "./identities_section";
import { useSpeech } from "./language";
import { OrganizationsSection } from "./organizations_section";
import { PasskeysSection } from "./passkeys_section";
import { SessionsSection } from "./sessions_section";
import { ShownOnce } from "./shown_once";

interface OwnAccountProps {
  readonly api: AccountApi;
  readonly person: Person;
  readonly isTestMode: boolean;
  readonly hasSellerPortal: boolean;
  /** Who is signed in is looked at anew. */
  readonly onChanged: () => Promise<void>;
  /** Nobody is any more; the page says why. */
  readonly onGone: (words: Words | null) => void;
}

interface Seen {
  readonly sessions: readonly SessionSeen[];
  readonly passkeys: readonly Passkey[];
  readonly memberships: readonly Membership[];
  readonly identities: readonly Identity[];
  readonly providers: readonly Provider[];
}

/** Everything that belongs to somebody's account. */
export function OwnAccount({ api, person, isTestMode, hasSellerPortal, onChanged, onGone }: OwnAccountProps) {
  const { t } = useSpeech();
  const [seen, setSeen] = useState<Seen>({
    sessions: [],
    passkeys: [],
    memberships: [],
    identities: [],
    providers: [],
  });
  const [codes, setCodes] = useState<readonly string[]>([]);
  const look = async () => {
    const [sessions, passkeys, memberships, identities, providers] = await Promise.all([
      api.sessions(),
      api.passkeys(),
      api.memberships(),
      api.identities(),
      api.providers(),
    ]);
    setSeen({ sessions, passkeys, memberships, identities, providers });
  };
  const { attempt, ...became } = useAttempts(() => Promise.all([look(), onChanged()]).then(() => {}));
  const attemptLast = (work: () => Promise<void>) => void attempt(work, undefined, true);
  useOnMount(() => attemptLast(look));
  const signOut = (everywhere: boolean) => attemptLast(() => api.signOut(everywhere).then(() => onGone(null)));
  const hold = (binding: Binding) =>
    attemptLast(() => api.holdSessions(binding).then(() => onGone((words) => words.sessionsHeld)));
  const deleteAccount = () => attemptLast(() => api.deleteAccount().then(() => onGone((words) => words.deleted)));
  return (
    <>
      <p>{t.signedInAs(person.email)}</p>
      <ActionResult {...became} api={api} person={person} />
      {codes.length > 0 && (
        <ShownOnce
          title={t.codesTitle}
          about={t.codesAbout}
          secrets={codes}
          file={t.codesFile}
          kept={t.codesKept}
          onKept={() => setCodes([])}
        />
      )}
      <OrganizationsSection
        api={api}
        memberships={seen.memberships}
        hasSellerPortal={hasSellerPortal}
        attempt={attempt}
      />
      {isTestMode && (
        <p>
          <a href="/integrate/">{t.integrateTitle}</a>
        </p>
      )}
      <PasskeysSection api={api} passkeys={seen.passkeys} attempt={attempt} onCodes={setCodes} />
      <AppSection api={api} person={person} attempt={attempt} onCodes={setCodes} />
      <IdentitiesSection
        api={api}
        providers={seen.providers}
        identities={seen.identities}
        memberships={seen.memberships}
        attempt={attempt}
      />
      <CredentialsSection api={api} attempt={attempt} />
      <SessionsSection
        api={api}
        sessions={seen.sessions}
        binding={person.binding}
        attempt={attempt}
        onSignOut={signOut}
        onHold={hold}
      />
      <h2 class="part">{t.deletion}</h2>
      <Asking
        action={t.deleteAccount}
        sentence={t.deletionAbout}
        yes={t.deleteNow}
        no={t.leaveIt}
        onYes={deleteAccount}
      />
    </>
  );
}
