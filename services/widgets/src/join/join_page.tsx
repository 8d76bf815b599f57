import { useEffect, useMemo, useState } from "preact/hooks";

import { AccountApi } from "../account/account_api";
import { AccountForm, emailAsked, newPasswordAsked } from "../account/account_form";
import { Asking } from "../account/asking";
import { PeoplesPage } from "../account/frame";
import { useSpeech } from "../account/language";
import { SignInForm } from "../account/sign_in_form";
import { usePerson } from "../account/who";
import type { SiteConfig } from "../site/config";
import { RequestFault } from "../site/http";
import { StepHeading } from "../site/step_heading";
import { useOnMount } from "../site/use_on_mount";
import { type Invitation, InvitationApi } from "./invitation_api";

interface JoinPageProps {
  readonly config: SiteConfig;
  /** Of the letter's link; empty when the page was opened without one. */
  readonly token: string;
}

type Outcome = "joined" | "declined";

/** Where invitation letters lead: who invites whom into what, and how to accept or decline. */
export function JoinPage({ config, token }: JoinPageProps) {
  return (
    <PeoplesPage config={config} title={(t) => t.joinTitle}>
      <OwnInvitation config={config} token={token} />
    </PeoplesPage>
  );
}

function OwnInvitation({ config, token }: JoinPageProps) {
  const { t, fault } = useSpeech();
  const api = useMemo(() => new InvitationApi(config.apiUrl, token), [config, token]);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => {
    if (token !== "") api.show().then(setInvitation, setFailed);
  }, [api, token]);
  if (token === "") return <p role="status">{t.noInvitation}</p>;
  if (failed !== null) {
    return (
      <>
        <p class="fault" role="alert">
          {fault(failed)}
        </p>
        <p>{t.invitationOver}</p>
        <ToAccount />
      </>
    );
  }
  if (invitation === null) return <p role="status">{t.loading}</p>;
  if (outcome !== null) {
    return (
      <>
        <StepHeading>{outcome === "joined" ? t.joined(invitation.organization) : t.declined}</StepHeading>
        {outcome === "joined" && <ToAccount />}
      </>
    );
  }
  return (
    <>
      <h2>{t.invitedTo(invitation.organization)}</h2>
      <Facts invitation={invitation} />
      <Answer
        config={config}
        token={token}
        invitation={invitation}
        api={api}
        onJoined={() => setOutcome("joined")}
        onRegistered={() => void api.show().then(setInvitation, setFailed)}
      />
      <hr />
      <Asking
        action={t.decline}
        sentence={t.declineAsked}
        yes={t.declineNow}
        no={t.leaveIt}
        onYes={() => void api.decline().then(() => setOutcome("declined"), setFailed)}
      />
    </>
  );
}

function ToAccount() {
  const { t } = useSpeech();
  return (
    <p>
      <a href="/account/">{t.toAccount}</a>
    </p>
  );
}

function Facts({ invitation: { role, email, invitedBy, expiresAt } }: { readonly invitation: Invitation }) {
  const { t, day } = useSpeech();
  const facts = [
    [t.invitedBy, invitedBy ?? t.byPlatform],
    [t.invitedAs, `${t.roles[role] ?? role}. ${t.roleMeans[role] ?? ""}`.trim()],
    [t.invitedAddress, email],
    [t.invitedUntil, day(expiresAt)],
  ] as const;
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** An answer that was lost: the account is there, and signing in shows whether the password is its. */
function unlessItIsThere(reason: unknown): void {
  if (!(reason instanceof RequestFault) || reason.code !== "account_exists") throw reason;
}

interface AnswerProps extends JoinPageProps {
  readonly invitation: Invitation;
  readonly api: InvitationApi;
  readonly onJoined: () => void;
  /** The invitation is looked at anew: its address has an account. */
  readonly onRegistered: () => void;
}

/** The way to joining: an account, signing in with the right address, and the word. */
function Answer({ config, token, invitation, api, onJoined, onRegistered }: AnswerProps) {
  const { t, language, fault } = useSpeech();
  const { email, organization, isRegistered } = invitation;
  const accounts = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const { person, isKnown, failed, look } = usePerson(accounts);
  useOnMount(() => void look());
  if (!isKnown) return <p role="status">{t.loading}</p>;
  if (failed !== null) {
    return (
      <p class="fault" role="alert">
        {fault(failed)}
      </p>
    );
  }
  const join = () => accounts.join(token).then(onJoined);
  if (person === null && isRegistered) {
    return (
      <section>
        <h3>{t.signInToJoin}</h3>
        <p>{t.hasAccount(email)}</p>
        <SignInForm api={accounts} email={email} onSignedIn={() => void look()} />
      </section>
    );
  }
  if (person === null) {
    const register = async ({ password = "" }) => {
      await api.makeAccount(password, language).catch(unlessItIsThere);
      if ((await accounts.signIn(email, password)) === null) await join();
      else onRegistered();
    };
    return (
      <section>
        <h3>{t.makeAccount}</h3>
        <p>{t.makeAccountAbout(email)}</p>
        <AccountForm asks={[emailAsked(t, email), newPasswordAsked(t)]} action={t.makeAndJoin} onSubmit={register} />
      </section>
    );
  }
  if (person.email.toLowerCase() !== email.toLowerCase()) {
    return (
      <>
        <p>{t.anotherAddress(email, person.email)}</p>
        <AccountForm asks={[]} action={t.signOut} onSubmit={() => accounts.signOut(false).then(look)} />
      </>
    );
  }
  return (
    <>
      <p>{t.signedInAs(person.email)}</p>
      <AccountForm asks={[]} action={t.accept(organization)} onSubmit={join} />
    </>
  );
}
