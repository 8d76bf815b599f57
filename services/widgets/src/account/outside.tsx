import { useEffect, useState } from "preact/hooks";

import type { AccountApi, Provider } from "./account_api";
import { AccountForm } from "./account_form";
import { Failure } from "./failure";
import { Told, useSpeech, type Words } from "./language";

/** Leaves this page: `address` is one that the API gave. */
export function leaveFor(address: URL): void {
  location.assign(address);
}

interface OutsideWaysProps {
  readonly api: AccountApi;
  /** What the page says while the browser is on its way; null where it stays. */
  readonly onSay: (words: Words | null) => void;
}

/** Signing in by who somebody is elsewhere: a provider for everybody, or an organisation's own. */
export function OutsideWays({ api, onSay }: OutsideWaysProps) {
  const { t, language } = useSpeech();
  const [providers, setProviders] = useState<readonly Provider[]>([]);
  const [failed, setFailed] = useState<unknown>(null);
  const [isOpen, setOpen] = useState(false);
  // Without an answer the other ways go on, and say themselves what is wrong.
  useEffect(() => void api.providers().then(setProviders, () => {}), [api]);
  const begin = async ({ key, name }: Provider, email: string | null) => {
    setFailed(null);
    onSay((words) => words.leavingFor(name));
    try {
      leaveFor(await api.beginOutside(key, language, email));
    } catch (reason) {
      onSay(null);
      throw reason;
    }
  };
  const beginByAddress = async ({ "organization-email": email = "" }) => {
    const found = await api.findProvider(email);
    if (found === null) throw new Told((words) => words.noOwnSignIn);
    await begin(found, email);
  };
  return (
    <>
      <Failure of={failed} />
      {providers.length > 0 && (
        <p class="actions">
          {providers.map((each) => (
            <button
              key={each.key}
              type="button"
              class="outlined"
              onClick={() => void begin(each, null).catch(setFailed)}
            >
              {t.signInWith(each.name)}
            </button>
          ))}
        </p>
      )}
      <p class="actions">
        <button type="button" class="outlined" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {t.signInByOrganization}
        </button>
      </p>
      {isOpen && (
        <AccountForm
          asks={[
            {
              name: "organization-email",
              label: t.organizationEmail,
              type: "email",
              autocomplete: "email",
              hint: t.organizationEmailHint,
            },
          ]}
          action={t.goOn}
          onSubmit={beginByAddress}
        />
      )}
    </>
  );
}
