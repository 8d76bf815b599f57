import type { ComponentChildren } from "preact";

import type { AccountApi, Person } from "./account_api";
import { ActionResult } from "./action_result";
import { type Attempt, useAttempts } from "./confirming";

interface PartProps {
  readonly api: AccountApi;
  readonly person: Person;
  readonly title: string;
  readonly about: string;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
  /** Where a form is long, what became of it is said at its end, by its button. */
  readonly saysBelow?: boolean;
  readonly children: (attempt: Attempt) => ComponentChildren;
}

/** One part of a long page: what became of what was done in it is said in it. */
export function Part({ title, about, look, saysBelow = false, children, ...who }: PartProps) {
  const { attempt, ...became } = useAttempts(look);
  return (
    <section>
      <h2 class="part">{title}</h2>
      <p class="hint">{about}</p>
      {!saysBelow && <ActionResult {...became} {...who} />}
      {children(attempt)}
      {saysBelow && <ActionResult {...became} {...who} />}
    </section>
  );
}
