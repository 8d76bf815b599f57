import { useState } from "preact/hooks";
import { useOnMount } from "../site/use_on_mount";

export interface Loaded<Shown> {
  /** Null until it was looked at. */
  readonly shown: Shown | null;
  readonly failed: unknown;
  /** Looks at it anew. */
  readonly look: () => Promise<void>;
}

/** What a page is about, looked at when it begins. */
export function useLoaded<Shown>(load: () => Promise<Shown>): Loaded<Shown> {
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const look = async () => setShown(await load());
  useOnMount(() => void look().catch(setFailed));
  return { shown, failed, look };
}
