import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { useSpeech } from "../account/language";
import { useOneAtATime } from "../site/one_at_a_time";
import type { Listed } from "./data_api";
import { useDataSpeech } from "./language";

/** A list as far as it was read. `listed` is null until its first page came. */
export interface Listing<Item> {
  readonly listed: Listed<Item> | null;
  readonly failed: unknown;
  /** Reads the next page, or the first one again where that failed. */
  readonly more: (event: Event) => Promise<void>;
}

/** Reads a list page by page, from the beginning whenever `of` is another. */
export function useListing<Item>(load: (cursor: string | null) => Promise<Listed<Item>>, of = ""): Listing<Item> {
  const [listed, setListed] = useState<Listed<Item> | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const once = useOneAtATime();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` names what `load` reads
  useEffect(() => {
    let isWanted = true;
    setListed(null);
    setFailed(null);
    load(null).then(
      (page) => isWanted && setListed(page),
      (reason: unknown) => isWanted && setFailed(reason),
    );
    return () => {
      isWanted = false;
    };
  }, [of]);
  const more = once(async () => {
    setFailed(null);
    try {
      const page = await load(listed?.next ?? null);
      setListed({ ...page, items: [...(listed?.items ?? []), ...page.items] });
    } catch (reason) {
      setFailed(reason);
    }
  });
  return { listed, failed, more };
}

interface ListProps<Item> {
  readonly of: Listing<Item>;
  /** What stands in place of an empty list. */
  readonly empty: string;
  readonly children: (items: readonly Item[], isWhole: boolean) => ComponentChildren;
}

/** A list in whatever state it is: being read, not readable, switched off, empty, or there. */
export function List<Item>({ of: { listed, failed, more }, empty, children }: ListProps<Item>) {
  const { t: common } = useSpeech();
  const { t } = useDataSpeech();
  return (
    <>
      {listed === null && failed === null && <p role="status">{common.loading}</p>}
      {listed?.isDegraded === true && <p class="notice">{t.degraded}</p>}
      {listed !== null &&
        !listed.isDegraded &&
        (listed.items.length === 0 ? <p>{empty}</p> : children(listed.items, listed.next === null))}
      <NotRead failed={failed} />
      {(failed !== null || (listed?.next ?? null) !== null) && (
        <p class="actions">
          <button type="button" class="outlined" onClick={more}>
            {failed === null ? t.more : common.tryAgain}
          </button>
        </p>
      )}
    </>
  );
}

/** Why something could not be read; nothing while `failed` is null. */
export function NotRead({ failed }: { readonly failed: unknown }) {
  const { t, fault } = useDataSpeech();
  return (
    <div role="alert">
      {failed !== null && (
        <p class="fault">
          {t.failed} {fault(failed)}
        </p>
      )}
    </div>
  );
}
