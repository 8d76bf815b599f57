import { useEffect, useState } from "preact/hooks";

import { RequestFault } from "../site/http";
import type { AccountApi, Passkey, Person, SessionSeen } from "./account_api";
import { AccountForm, CODE, PASSWORD, sentenceFor } from "./account_form";
import { knowsPasskeys, makePasskey } from "./passkeys";

interface OwnAccountProps {
  readonly api: AccountApi;
  readonly person: Person;
  /** Whether somebody is still signed in is looked at anew. */
  readonly onChanged: () => void;
}

type Work = () => Promise<void>;

/** Where somebody is signed in, and with what. */
export function OwnAccount({ api, person, onChanged }: OwnAccountProps) {
  const [sessions, setSessions] = useState<readonly SessionSeen[]>([]);
  const [passkeys, setPasskeys] = useState<readonly Passkey[]>([]);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [waiting, setWaiting] = useState<Work | null>(null);
  const [fault, setFault] = useState("");
  const look = async () => {
    setSessions(await api.sessions());
    setPasskeys(await api.passkeys());
  };
  const failed = (reason: unknown) => setFault(sentenceFor(reason));
  useEffect(() => void look().catch(failed), []);
  /** What is dangerous waits for a confirmation where the last one is too long ago. */
  const attempt = (work: Work) => {
    setFault("");
    setWaiting(null);
    return work()
      .then(look)
      .catch((reason: unknown) => {
        if (reason instanceof RequestFault && reason.code === "confirmation_required") setWaiting(() => work);
        else failed(reason);
      });
  };
  const addPasskey = async () => {
    const begun = await api.beginPasskey();
    setCodes(await api.addPasskey(begun.ceremony, await makePasskey(begun), "Passkey"));
  };
  const signOut = (everywhere: boolean) => api.signOut(everywhere).then(onChanged, failed);
  return (
    <>
      <p>You are signed in as {person.email}.</p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {waiting !== null && (
        <Confirmation api={api} asksCode={person.usesApp || passkeys.length > 0} onConfirmed={() => void attempt(waiting)} />
      )}
      {codes.length > 0 && <RecoveryCodes codes={codes} />}
      <h2>Passkeys</h2>
      <ul>
        {passkeys.map(({ id, name }) => (
          <li key={id}>
            {name}{" "}
            <button type="button" class="outlined" onClick={() => void attempt(() => api.removePasskey(id))}>
              Take away
            </button>
          </li>
        ))}
      </ul>
      {knowsPasskeys() && (
        <button type="button" class="outlined" onClick={() => void attempt(addPasskey)}>
          Add a passkey
        </button>
      )}
      <h2>Sessions</h2>
      <ul>
        {sessions.map((session) => (
          <li key={session.id}>
            {session.device}, last used {session.seenAt.toLocaleString("en-GB")}{" "}
            {session.isThisOne ? (
              "(this one)"
            ) : (
              <button type="button" class="outlined" onClick={() => void attempt(() => api.endSession(session.id))}>
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      <button type="button" class="primary" onClick={() => void signOut(false)}>
        Sign out
      </button>
      <button type="button" class="outlined" onClick={() => void signOut(true)}>
        Sign out everywhere
      </button>
    </>
  );
}

interface ConfirmationProps {
  readonly api: AccountApi;
  readonly asksCode: boolean;
  readonly onConfirmed: () => void;
}

function Confirmation({ api, asksCode, onConfirmed }: ConfirmationProps) {
  return (
    <section aria-labelledby="confirm">
      <h2 id="confirm">Confirm that it is you</h2>
      <AccountForm
        asks={asksCode ? [PASSWORD, CODE] : [PASSWORD]}
        action="Confirm"
        onSubmit={({ password = "", code = "" }) => api.confirm(password, code).then(onConfirmed)}
      />
    </section>
  );
}

function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  return (
    <section aria-labelledby="codes">
      <h2 id="codes">Your recovery codes</h2>
      <p>Keep them where you find them without this device. Each works once, and they are shown only now.</p>
      <ul>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
