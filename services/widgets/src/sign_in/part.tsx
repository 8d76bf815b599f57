import type { ComponentChildren } from "preact";

import { type Attempt, Confirmation, useAttempts } from "../account/confirming";
import type { Kept } from "../account/keepers_page";
import { useSpeech, wordsOf } from "../account/language";
import type { SignInApi } from "./sign_in_api";

/** What each part of the page works with. */
export interface Parts extends Kept {
  readonly signIn: SignInApi;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}

interface PartProps extends Parts {
  readonly title: string;
  readonly about: string;
  readonly children: (attempt: Attempt) => ComponentChildren;
}

/** One part of a long page: what became of what was done in it is said in it. */
export function Part({ title, about, api, person, look, children }: PartProps) {
  const speech = useSpeech();
  const { attempt, said, failed, waiting } = useAttempts(look);
  return (
    <section>
      <h2 class="part">{title}</h2>
      <p class="hint">{about}</p>
      <p class="fault" role="alert">
        {failed === null ? "" : wordsOf(speech, failed)}
      </p>
      <p role="status" class="said">
        {said === null ? "" : said(speech.t)}
      </p>
      {waiting !== null && <Confirmation api={api} person={person} onConfirmed={() => void waiting()} />}
      {children(attempt)}
    </section>
  );
}
