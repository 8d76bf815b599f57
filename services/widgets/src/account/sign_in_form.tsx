import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import type { AccountApi, SignIn } from "./account_api";
import { AccountForm, codeAsked, emailAsked, passwordAsked } from "./account_form";
import { PasskeyForm } from "./confirming";
import { useSpeech } from "./language";
import { knowsPasskeys, showPasskey } from "./passkeys";

interface SignInFormProps {
  readonly api: AccountApi;
  /** Where it has to be this one. */
  readonly email?: string;
  /** Where all but a second factor was shown already. */
  readonly needed?: SignIn;
  readonly onSignedIn: () => void;
  /** Other ways to sign in. */
  readonly children?: ComponentChildren;
}

/** Address and password, then a second factor where there is one; or a passkey alone. */
export function SignInForm({ api, email: known, needed: asked = null, onSignedIn, children }: SignInFormProps) {
  const { t } = useSpeech();
  const [needed, setNeeded] = useState<SignIn>(asked);
  const byPasskey = (pending: string | null) => async () => {
    const begun = await api.beginSignIn(pending);
    await api.showPasskey(begun.ceremony, await showPasskey(begun), pending);
    onSignedIn();
  };
  const passkey = (pending: string | null) =>
    knowsPasskeys() && <PasskeyForm action={t.signInWithPasskey} onShow={byPasskey(pending)} />;
  if (needed !== null) {
    const { pending, hasPasskeys } = needed;
    return (
      <>
        <AccountForm
          key="factor"
          asks={[codeAsked(t)]}
          action={t.goOn}
          onSubmit={({ code = "" }) => api.showCode(pending, code).then(onSignedIn)}
        />
        {hasPasskeys && passkey(pending)}
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
      <AccountForm key="password" asks={[emailAsked(t, known), passwordAsked(t)]} action={t.signIn} onSubmit={signIn} />
      {passkey(null)}
      {children}
    </>
  );
}
