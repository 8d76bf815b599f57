import { useEffect, useState } from "preact/hooks";

import type { Api, SharingOffer } from "../site/api";
import type { OptionsDraft } from "./gift_options_draft";
import { useSpeech } from "./language";

interface DataSharingChoiceProps {
  readonly offer: SharingOffer;
  readonly options: OptionsDraft;
  readonly onOptions: (options: OptionsDraft) => void;
}

/** Never ticked beforehand. The words are the API's, which keeps beside a tick what they are called. */
export function DataSharingChoice({ offer, options, onOptions }: DataSharingChoiceProps) {
  const { language } = useSpeech();
  return (
    <label class="choice sharing-choice">
      <input
        type="checkbox"
        checked={options.sharesData}
        onChange={(event) => onOptions({ ...options, sharesData: event.currentTarget.checked })}
      />
      {offer.texts[language]}
    </label>
  );
}

/** Null where no data is shared, and while it is not known: the gift needs no such offer. */
export function useSharingOffer(api: Api): SharingOffer | null {
  const [offer, setOffer] = useState<SharingOffer | null>(null);
  useEffect(() => {
    api.sharingOffers().then(
      ([first]) => setOffer(first ?? null),
      () => undefined,
    );
  }, [api]);
  return offer;
}
