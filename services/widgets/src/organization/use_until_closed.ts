import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** What can be done with something until it is over. */
export interface Doing {
  /** Takes the focus when it is over and when nothing can be done any more, where a button that is gone then had it. */
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
  const was = useRef({ isOver, isOffered });
  useLayoutEffect(() => {
    // What ends it goes at once, also beside a form that is open and stays.
    const isLess = (isOver && !was.current.isOver) || (!isOffered && was.current.isOffered);
    // Who is elsewhere on the page meanwhile stays there.
    if (isLess && document.activeElement === document.body) name.current?.focus();
    was.current = { isOver, isOffered };
  }, [isOver, isOffered]);
  return { name, isOffered, onOpen: setOpen };
}
