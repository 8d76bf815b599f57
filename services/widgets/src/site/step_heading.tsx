import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

import { useLayoutOnMount } from "./use_on_mount";

interface StepHeadingProps {
  readonly children: ComponentChildren;
  /** For a step that comes late: who has gone on elsewhere on the page meanwhile stays there. */
  readonly isLate?: boolean;
}

/** The heading of a step that replaced another: it takes the focus, so that nobody is left on a button that is gone. */
export function StepHeading({ children, isLate = false }: StepHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutOnMount(() => {
    if (!isLate || document.activeElement === document.body) heading.current?.focus();
  });
  return (
    <h2 ref={heading} tabIndex={-1}>
      {children}
    </h2>
  );
}
