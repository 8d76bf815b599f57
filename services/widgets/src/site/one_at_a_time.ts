import { useRef } from "preact/hooks";

/** Wraps a form's work: while it is under way, further submits do nothing, even before the page has been drawn again. */
export function useOneAtATime(): (work: () => Promise<void>) => (event: Event) => Promise<void> {
  const isBusy = useRef(false);
  return (work) => async (event) => {
    event.preventDefault();
    if (isBusy.current) return;
    isBusy.current = true;
    await work().finally(() => (isBusy.current = false));
  };
}
