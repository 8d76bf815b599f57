import { useLayoutEffect, useRef, useState } from "preact/hooks";

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

/** A button for what cannot be undone: it says first what would happen. Whoever says no is back at the button. */
export function Asking({ action, about, sentence, yes, no, onYes }: AskingProps) {
  const [isAsked, setAsked] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const saidNo = useRef(false);
  useLayoutEffect(() => {
    if (!isAsked && saidNo.current) button.current?.focus();
    saidNo.current = false;
  }, [isAsked]);
  if (!isAsked) {
    return (
      <button
        type="button"
        class="outlined"
        ref={button}
        aria-label={about === undefined ? undefined : `${action}: ${about}`}
        onClick={() => setAsked(true)}
      >
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
        <button
          type="button"
          class="outlined"
          onClick={() => {
            saidNo.current = true;
            setAsked(false);
          }}
        >
          {no}
        </button>
      </p>
    </div>
  );
}
