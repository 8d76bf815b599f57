import { Asking } from "../account/asking";
import { useSpeech } from "../account/language";
import { Part } from "../account/part";
import type { Parts } from "./parts";
import type { Connection } from "./sign_in_api";

interface RequiringPartProps extends Parts {
  readonly connection: Connection | null;
}

/** Whether members sign in no other way. */
export function RequiringPart({ connection, ...parts }: RequiringPartProps) {
  const { t } = useSpeech();
  if (connection === null) return null;
  const set = (isRequired: boolean) => () =>
    parts.signIn.set({ ...connection, clientSecret: null, isRequired }, connection);
  return (
    <Part {...parts} title={t.requireTitle} about={connection.isRequired ? t.isRequired : t.isOffered}>
      {(attempt) => (
        <div class="actions">
          {connection.isRequired ? (
            <button
              type="button"
              class="outlined"
              onClick={() => void attempt(set(false), (words) => words.requiredNoMore)}
            >
              {t.allowOthers}
            </button>
          ) : (
            <Asking
              action={t.require}
              sentence={t.requireAbout}
              yes={t.requireNow}
              no={t.leaveIt}
              onYes={() => void attempt(set(true), (words) => words.requiredNow)}
            />
          )}
        </div>
      )}
    </Part>
  );
}
