import type { AccountApi, Passkey } from "./account_api";
import type { Attempt } from "./confirming";
import { useSpeech } from "./language";
import { knowsPasskeys, makePasskey } from "./passkeys";

interface PasskeysSectionProps {
  readonly api: AccountApi;
  readonly passkeys: readonly Passkey[];
  readonly attempt: Attempt;
  /** Recovery codes come with a first factor. */
  readonly onCodes: (codes: readonly string[]) => void;
}

export function PasskeysSection({ api, passkeys, attempt, onCodes }: PasskeysSectionProps) {
  const { t, day } = useSpeech();
  const add = async () => {
    const begun = await api.beginPasskey();
    onCodes(await api.addPasskey(begun.ceremony, await makePasskey(begun), "Passkey"));
  };
  return (
    <>
      <h2 class="part">{t.passkeys}</h2>
      <p class="hint">{t.passkeysAbout}</p>
      <ul class="rows">
        {passkeys.map(({ id, createdAt }) => (
          <li key={id}>
            <p>
              {t.passkey}, {t.madeOn(day(createdAt))}
            </p>
            <button
              type="button"
              class="outlined"
              onClick={() =>
                void attempt(
                  () => api.removePasskey(id),
                  (words) => words.passkeyGone,
                )
              }
            >
              {t.takeAway}
            </button>
          </li>
        ))}
      </ul>
      {knowsPasskeys() && (
        <button type="button" class="outlined" onClick={() => void attempt(add, (words) => words.passkeyAdded)}>
          {t.addPasskey}
        </button>
      )}
    </>
  );
}
