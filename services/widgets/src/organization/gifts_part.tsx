import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { Failure } from "../account/failure";
import { useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { Part } from "../account/part";
import { GiftRow } from "./gift_row";
import { type Gift, type GiftPage, GiftsApi } from "./gifts_api";
import { useUntilClosed } from "./use_until_closed";

/** Links to the page that are about gifts lead here. */
const ANCHOR = "gifts";

/** What the organisation was given, the newest first, for those who may give it back. */
export function GiftsPart({ config, organization, ...who }: Kept) {
  const { t } = useSpeech();
  const gifts = useMemo(() => new GiftsApi(config.apiUrl, organization.organizationId), [config, organization]);
  const { shown, failed, older, put } = useGifts(gifts);
  const top = useRef<HTMLDivElement>(null);
  const isShown = shown !== null;
  useLayoutEffect(() => {
    if (isShown && location.hash === `#${ANCHOR}`) top.current?.focus();
  }, [isShown]);
  return (
    <div ref={top} id={ANCHOR} tabIndex={-1}>
      <Part {...who} title={t.giftsTitle} about={t.giftsAbout} look={async () => {}} saysBelow>
        {(attempt) => (
          <>
            <Failure of={failed} />
            {shown === null && failed === null && <p role="status">{t.loading}</p>}
            {shown !== null && shown.gifts.length > 0 && (
              <ul class="rows">
                {shown.gifts.map((gift) => (
                  <GiftRow key={gift.id} {...who} gifts={gifts} gift={gift} onChanged={put} />
                ))}
              </ul>
            )}
            {shown !== null && <OlderGifts of={shown} onOlder={() => void attempt(older, undefined, true)} />}
          </>
        )}
      </Part>
    </div>
  );
}

interface OlderGiftsProps {
  readonly of: GiftPage;
  readonly onOlder: () => void;
}

/** Asks for more of them; what says that there are no more takes the focus of the button that it replaces. */
function OlderGifts({ of: { gifts, next }, onOlder }: OlderGiftsProps) {
  const { t } = useSpeech();
  const { name: end, isOffered } = useUntilClosed(next === null);
  if (!isOffered) {
    return (
      <p ref={end} tabIndex={-1}>
        {gifts.length === 0 ? t.noGifts : t.noOlderGifts}
      </p>
    );
  }
  return (
    <p class="actions">
      <button type="button" class="outlined" onClick={onOlder}>
        {t.olderGifts}
      </button>
    </p>
  );
}

interface Gifts {
  /** Null until it was looked at. */
  readonly shown: GiftPage | null;
  readonly failed: unknown;
  readonly older: () => Promise<void>;
  /** Shows a gift as it is now. */
  readonly put: (gift: Gift) => void;
}

function useGifts(api: GiftsApi): Gifts {
  const [shown, setShown] = useState<GiftPage | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  useEffect(() => void api.arrived(null).then(setShown, setFailed), [api]);
  const older = async () => {
    const cursor = shown?.next ?? null;
    const next = await api.arrived(cursor);
    // Pressed twice, the same page comes twice.
    setShown((before) => (before?.next === cursor ? { ...next, gifts: [...before.gifts, ...next.gifts] } : before));
  };
  const put = (gift: Gift) =>
    setShown(
      (before) => before && { ...before, gifts: before.gifts.map((each) => (each.id === gift.id ? gift : each)) },
    );
  return { shown, failed, older, put };
}
