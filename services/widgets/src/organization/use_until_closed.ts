import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** What can be done with something until it is over. */
export interface Doing {
  /** Takes the focus when nothing can be done any more, since the buttons are gone then. */
  readonly name: RefObject<HTMLParagraphElement>;
  /** Whether there is anything to do: a form that is open stays with what was typed, also where somebody else ended it. */
  readonly isOffered: boolean;
  /** Told when the form is opened, and when it is closed. */
  readonly onOpen: (isOpen: boolean) => void;
}

export function useUntilClosed(isOver: boolean): Doing {
  const name = useRef<HTMLParagraphElement>(null);
  const [isOpen, setOpen] = useState(false);
  const isOffered = !isOver || isOpen;
  const wasOffered = useRef(isOffered);
  useLayoutEffect(() => {
    // Who is elsewhere on the page meanwhile stays there.
    if (!isOffered && wasOffered.current && document.activeElement === document.body) name.current?.focus();
    wasOffered.current = isOffered;
  }, [isOffered]);
  return { name, isOffered, onOpen: setOpen };
}
