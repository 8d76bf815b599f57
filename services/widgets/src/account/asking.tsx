import { useState } from "preact/hooks";

import { StepHeading } from "../site/step_heading";

interface AskingProps {
  readonly action: string;
  /** Of the group, where the action's name alone would not say what it is about. */
  readonly about?: string;
  readonly sentence: string;
  readonly yes: string;
  readonly no: string;
  readonly onYes: () => void;
}

/** A button for what cannot be undone: it says first what would happen. */
export function Asking({ action, about, sentence, yes, no, onYes }: AskingProps) {
  const [isAsked, setAsked] = useState(false);
  if (!isAsked) {
    return (
      <button type="button" class="outlined" aria-label={about === undefined ? undefined : `${action}: ${about}`} onClick={() => setAsked(true)}>
        {action}
      </button>
    );
  }
  return (
    <div class="asking">
      <StepHeading>{yes}</StepHeading>
      <p>{sentence}</p>
      <p class="actions">
        <button
          type="button"
          class="outlined"
          onClick={() => {
            setAsked(false);
            onYes();
          }}
        >
          {yes}
        </button>
        <button type="button" class="outlined" onClick={() => setAsked(false)}>
          {no}
        </button>
      </p>
    </div>
  );
}
