import { useState } from "preact/hooks";

import type { AccountApi } from "./account_api";
import { AccountForm, newPasswordAsked } from "./account_form";
import type { Attempt } from "./confirming";
import { useSpeech } from "./language";

interface CredentialsSectionProps {
  readonly api: AccountApi;
  readonly attempt: Attempt;
}

type Change = "password" | "address";

/** What somebody signs in with: each is changed by a form that opens on demand. */
export function CredentialsSection({ api, attempt }: CredentialsSectionProps) {
  const { t } = useSpeech();
  const [open, setOpen] = useState<Change | null>(null);
  const changePassword = async ({ present = "", "new-password": password = "" }) => {
    await api.changePassword(present, password);
    setOpen(null);
    await attempt(
      async () => {},
      (words) => words.passwordChanged,
    );
  };
  const changeAddress = async ({ address = "" }) => {
    setOpen(null);
    await attempt(
      () => api.askForAddress(address),
      (words) => words.letterSent,
    );
  };
  // Beside the password that a confirmation asks for.
  const newPassword = { ...newPasswordAsked(t), name: "new-password" };
  const toggle = (change: Change) => () => setOpen(open === change ? null : change);
  return (
    <>
      <h2 class="part">{t.passwordAndAddress}</h2>
      <p class="actions">
        <button type="button" class="outlined" aria-expanded={open === "password"} onClick={toggle("password")}>
          {t.changePassword}
        </button>
        <button type="button" class="outlined" aria-expanded={open === "address"} onClick={toggle("address")}>
          {t.changeAddress}
        </button>
      </p>
      {open === "password" && (
        <AccountForm
          key={open}
          asks={[
            { name: "present", label: t.presentPassword, type: "password", autocomplete: "current-password" },
            newPassword,
          ]}
          action={t.changePassword}
          onSubmit={changePassword}
        />
      )}
      {open === "address" && (
        <AccountForm
          key={open}
          asks={[{ name: "address", label: t.newAddress, type: "email", autocomplete: "email", hint: t.addressAbout }]}
          action={t.askAddress}
          onSubmit={changeAddress}
        />
      )}
    </>
  );
}
