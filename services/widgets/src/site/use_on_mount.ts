import { useEffect, useLayoutEffect } from "preact/hooks";

/** Runs `begin` once, when its component appears, whatever changes later. */
export function useOnMount(begin: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what runs once follows nothing
  useEffect(() => begin(), []);
}

/** As `useOnMount`, before the browser paints: for what moves the focus. */
export function useLayoutOnMount(begin: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what runs once follows nothing
  useLayoutEffect(() => begin(), []);
}
