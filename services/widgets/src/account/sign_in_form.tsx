import { useState } from "preact/hooks";

import type { AccountApi, SignIn } from "./account_api";
import { AccountForm, CODE, EMAIL, PASSWORD, sentenceFor } from "./account_form";
import { knowsPasskeys, showPasskey } from "./passkeys";

interface SignInFormProps {
  readonly api: AccountApi;
  readonly onSignedIn: () => void;
}

/** Address and password, then a second factor where there is one; or a passkey alone. */
export function SignInForm({ api, onSignedIn }: SignInFormProps) {
  const [needed, setNeeded] = useState<SignIn>(null);
  if (needed !== null) {
    const { pending, hasPasskeys } = needed;
    return (
      <>
        <AccountForm
          key="factor"
          asks={[CODE]}
          action="Go on"
          onSubmit={({ code = "" }) => api.showCode(pending, code).then(onSignedIn)}
        />
        {hasPasskeys && <PasskeyButton api={api} pending={pending} onSignedIn={onSignedIn} />}
      </>
    );
  }
  const signIn = async ({ email = "", password = "" }) => {
    const found = await api.signIn(email, password);
    if (found === null) onSignedIn();
    else setNeeded(found);
  };
  return (
    <>
      <AccountForm key="password" asks={[EMAIL, PASSWORD]} action="Sign in" onSubmit={signIn} />
      <PasskeyButton api={api} pending={null} onSignedIn={onSignedIn} />
    </>
  );
}

interface PasskeyButtonProps extends SignInFormProps {
  /** Of a password that was right; null where the passkey is all there is. */
  readonly pending: string | null;
}

function PasskeyButton({ api, pending, onSignedIn }: PasskeyButtonProps) {
  const [fault, setFault] = useState("");
  if (!knowsPasskeys()) return null;
  const show = async () => {
    setFault("");
    const begun = await api.beginSignIn(pending);
    await api.showPasskey(begun.ceremony, await showPasskey(begun), pending);
    onSignedIn();
  };
  return (
    <>
      <p class="fault" role="alert">
        {fault}
      </p>
      <p class="actions">
        <button type="button" class="outlined" onClick={() => show().catch((reason: unknown) => setFault(sentenceFor(reason)))}>
          Sign in with a passkey
        </button>
      </p>
    </>
  );
}
