import { useEffect, useRef, useState } from "preact/hooks";

/** Long enough that somebody who types is not asked about each digit. */
const PAUSE_MILLISECONDS = 400;

/**
 * What the API says of the gift that stands in the form: null while it is being asked.
 *
 * `about` names the gift; null where it is none that can be given. What cannot be asked is not offered: a gift needs no quote.
 */
export function useQuote<Answer>(about: string | null, ask: () => Promise<Answer>): Answer | null {
  const [found, setFound] = useState<{ about: string; answer: Answer } | null>(null);
  const hasAsked = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `about` says when `ask` would ask for something else
  useEffect(() => {
    if (about === null) return;
    let isGone = false;
    const keep = (answer: Answer) => {
      if (!isGone) setFound({ about, answer });
    };
    const later = setTimeout(() => ask().then(keep, () => undefined), hasAsked.current ? PAUSE_MILLISECONDS : 0);
    hasAsked.current = true;
    return () => {
      isGone = true;
      clearTimeout(later);
    };
  }, [about]);
  return found !== null && found.about === about ? found.answer : null;
}
