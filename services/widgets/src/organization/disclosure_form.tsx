import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Attempt } from "../account/confirming";
import { StepHeading } from "../site/step_heading";

interface DisclosureFormProps<Of extends object> {
  readonly action: string;
  /** Of the group, where the action's name alone would not say what it is about. */
  readonly about?: string;
  readonly title: string;
  readonly attempt: Attempt;
  /** What is shown, as it stands when somebody asks for it. */
  readonly load: () => Promise<Of>;
  /** Told when the form is opened, and when it is closed. */
  readonly onOpen?: (isOpen: boolean) => void;
  readonly children: (of: Of, close: () => void) => ComponentChildren;
}

/** A button that a form takes the place of, and that is there again, with the focus, once the form is done. */
export function DisclosureForm<Of extends object>({
  action,
  about,
  title,
  attempt,
  load,
  onOpen = () => {},
  children,
}: DisclosureFormProps<Of>) {
  const [of, setOf] = useState<Of | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useLayoutEffect(() => {
    const isOpen = of !== null;
    if (isOpen === wasOpen.current) return;
    wasOpen.current = isOpen;
    if (!isOpen) button.current?.focus();
    onOpen(isOpen);
  }, [of, onOpen]);
  if (of === null) {
    const open = async () => {
      const found = await load();
      setOf(() => found);
    };
    return (
      <button
        type="button"
        class="outlined"
        ref={button}
        aria-label={about === undefined ? undefined : `${action}: ${about}`}
        onClick={() => void attempt(open, undefined, true)}
      >
        {action}
      </button>
    );
  }
  return (
    <div class="asking">
      <StepHeading isLate>{title}</StepHeading>
      {children(of, () => setOf(null))}
    </div>
  );
}
