import type { AccountApi, Person } from "./account_api";
import { type Attempts, Confirmation } from "./confirming";
import { Failure } from "./failure";
import { useSpeech } from "./language";

interface ActionResultProps extends Omit<Attempts, "attempt" | "forget"> {
  readonly api: AccountApi;
  readonly person: Person;
}

/** What became of what somebody did: why not, what is so now, or a question who they are. */
export function ActionResult({ said, failed, waiting, api, person }: ActionResultProps) {
  const { t } = useSpeech();
  return (
    <>
      <Failure of={failed} />
      <p role="status" class="said">
        {said === null ? "" : said(t)}
      </p>
      {waiting !== null && (
        <Confirmation api={api} person={person} about={waiting.about} onConfirmed={() => void waiting.resume()} />
      )}
    </>
  );
}
