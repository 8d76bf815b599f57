import { useState } from "preact/hooks";

import { StepHeading } from "../site/step_heading";
import type { AccountApi, AppSecret, Person } from "./account_api";
import { AccountForm } from "./account_form";
import type { Attempt } from "./confirming";
import { useSpeech } from "./language";
import { QrCode } from "./qr_code";

interface AppSectionProps {
  readonly api: AccountApi;
  readonly person: Person;
  readonly attempt: Attempt;
  readonly onCodes: (codes: readonly string[]) => void;
}

/** The app whose codes are asked for after the password, and the recovery codes that stand in for it. */
export function AppSection({ api, person, attempt, onCodes }: AppSectionProps) {
  const { t } = useSpeech();
  const [begun, setBegun] = useState<AppSecret | null>(null);
  const confirm = async ({ code = "" }) => {
    const codes = await api.confirmApp(code);
    setBegun(null);
    await attempt(
      async () => onCodes(codes),
      (words) => words.appAdded,
    );
  };
  const hasFactor = person.usesApp || person.passkeys > 0;
  return (
    <>
      <h2 class="part">{t.app}</h2>
      <p class="hint">{person.usesApp ? t.appIsUsed : t.appAbout}</p>
      {begun !== null && <NewApp secret={begun} onCode={confirm} />}
      <p class="actions">
        {!person.usesApp && begun === null && (
          <button
            type="button"
            class="outlined"
            onClick={() => void attempt(async () => setBegun(await api.beginApp()))}
          >
            {t.setUpApp}
          </button>
        )}
        {person.usesApp && (
          <button
            type="button"
            class="outlined"
            onClick={() =>
              void attempt(
                () => api.removeApp(),
                (words) => words.appGone,
              )
            }
          >
            {t.removeApp}
          </button>
        )}
        {hasFactor && (
          <button
            type="button"
            class="outlined"
            onClick={() => void attempt(async () => onCodes(await api.newCodes()))}
          >
            {t.newCodes}
          </button>
        )}
      </p>
      {hasFactor && <p class="hint">{t.codesLeft(person.codesLeft)}</p>}
    </>
  );
}

interface NewAppProps {
  readonly secret: AppSecret;
  readonly onCode: (values: Readonly<Record<string, string>>) => Promise<void>;
}

function NewApp({ secret: { secret, uri }, onCode }: NewAppProps) {
  const { t } = useSpeech();
  return (
    <section class="once">
      <StepHeading>{t.scanTitle}</StepHeading>
      <QrCode text={uri} label={t.qrCode} />
      <p>{t.scanIntro}</p>
      <p>
        {t.secret}: <code>{inFours(secret)}</code>
      </p>
      <AccountForm
        asks={[
          { name: "app-code", label: t.appCode, autocomplete: "one-time-code", inputMode: "numeric", maxLength: 7 },
        ]}
        action={t.useApp}
        onSubmit={({ "app-code": code = "" }) => onCode({ code: code.replaceAll(" ", "") })}
      />
    </section>
  );
}

/** For who types it; apps pass over the spaces. */
function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}
