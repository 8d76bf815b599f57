import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** For what takes the focus when something ends, since its buttons are gone then. */
export function useFocusWhenOver(isOver: boolean): RefObject<HTMLParagraphElement> {
  const name = useRef<HTMLParagraphElement>(null);
  const wasOver = useRef(isOver);
  useLayoutEffect(() => {
    if (isOver && !wasOver.current) name.current?.focus();
    wasOver.current = isOver;
  }, [isOver]);
  return name;
}
