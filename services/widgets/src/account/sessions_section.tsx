import { useState } from "preact/hooks";

import { type AccountApi, BINDINGS, type Binding, type SessionSeen } from "./account_api";
import { Asking } from "./asking";
import type { Attempt } from "./confirming";
import { momentIn, useSpeech } from "./language";

interface SessionsSectionProps {
  readonly api: AccountApi;
  readonly sessions: readonly SessionSeen[];
  /** How closely they are held to where they begin. */
  readonly binding: Binding;
  readonly attempt: Attempt;
  readonly onSignOut: (everywhere: boolean) => void;
  readonly onHold: (binding: Binding) => void;
}

export function SessionsSection({ api, sessions, binding, attempt, onSignOut, onHold }: SessionsSectionProps) {
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
              <button
                type="button"
                class="outlined"
                onClick={() =>
                  void attempt(
                    () => api.endSession(id),
                    (words) => words.sessionEnded,
                  )
                }
              >
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
      <Holding binding={binding} onHold={onHold} />
    </>
  );
}

/** Where sessions may be used from. A telephone's address changes on the way; its network does so less often. */
function Holding({ binding, onHold }: { readonly binding: Binding; readonly onHold: (binding: Binding) => void }) {
  const { t } = useSpeech();
  const [chosen, setChosen] = useState(binding);
  return (
    <>
      <div class="field">
        <label for="held-to">{t.heldTo}</label>
        <p class="hint" id="held-to-hint">
          {t.heldToAbout}
        </p>
        <div class="input">
          <select
            id="held-to"
            aria-describedby="held-to-hint"
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value as Binding)}
          >
            {BINDINGS.map((each) => (
              <option key={each} value={each}>
                {t.bindings[each]}
              </option>
            ))}
          </select>
        </div>
      </div>
      {chosen !== binding && (
        <div class="actions">
          <Asking
            action={t.holdSessions}
            sentence={t.holdSessionsAbout}
            yes={t.holdSessionsNow}
            no={t.leaveIt}
            onYes={() => onHold(chosen)}
          />
        </div>
      )}
    </>
  );
}
