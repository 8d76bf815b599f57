import type { AccountApi, SessionSeen } from "./account_api";
import type { Attempt } from "./confirming";
import { momentIn, useSpeech } from "./language";

interface SessionsSectionProps {
  readonly api: AccountApi;
  readonly sessions: readonly SessionSeen[];
  readonly attempt: Attempt;
  readonly onSignOut: (everywhere: boolean) => void;
}

export function SessionsSection({ api, sessions, attempt, onSignOut }: SessionsSectionProps) {
  const { t, language } = useSpeech();
  return (
    <>
      <h2 class="part">{t.sessions}</h2>
      <ul class="rows">
        {sessions.map(({ id, device, seenAt, isThisOne }) => (
          <li key={id}>
            <p>
              {t.sessionUsed(device, momentIn(language, seenAt))} {isThisOne && t.thisOne}
            </p>
            {!isThisOne && (
              <button type="button" class="outlined" onClick={() => void attempt(() => api.endSession(id), (words) => words.sessionEnded)}>
                {t.end}
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="actions">
        <button type="button" class="outlined" onClick={() => onSignOut(false)}>
          {t.signOut}
        </button>
        <button type="button" class="outlined" onClick={() => onSignOut(true)}>
          {t.signOutEverywhere}
        </button>
      </p>
    </>
  );
}
