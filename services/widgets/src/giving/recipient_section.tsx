import { useState } from "preact/hooks";

import { useOneAtATime } from "../site/one_at_a_time";
import { PictureView } from "../site/pictures";
import { useOnMount } from "../site/use_on_mount";
import { DownloadButton } from "./download_button";
import { GiftView, Said } from "./gift_view";
import type { GiftsApi, OwnGift, Recipient } from "./gifts_api";
import { useSpeech } from "./language";
import { PlanView } from "./plan_view";
import type { Plan, PlansApi } from "./plans_api";

interface RecipientSectionProps {
  readonly recipient: Recipient;
  readonly plans: readonly Plan[];
  readonly plansApi: PlansApi;
  readonly giftsApi: GiftsApi;
  readonly stripeJsUrl: string;
  readonly onPlan: (plan: Plan) => void;
}

/** Everything between the donor and one organisation: recurring gifts, gifts, and years. */
export function RecipientSection({ recipient, plans, plansApi, giftsApi, stripeJsUrl, onPlan }: RecipientSectionProps) {
  const { language } = useSpeech();
  const heading = `to-${recipient.id}`;
  return (
    <section class="recipient" aria-labelledby={heading}>
      <div class="named">
        <PictureView of={recipient.logo} kind="logo" language={language} />
        <h2 id={heading}>{recipient.name}</h2>
      </div>
      {plans.map((plan) => (
        <PlanView key={plan.id} api={plansApi} plan={plan} stripeJsUrl={stripeJsUrl} onChange={onPlan} />
      ))}
      <Gifts api={giftsApi} recipient={recipient} />
      <Years api={giftsApi} recipient={recipient} />
    </section>
  );
}

function Gifts({ api, recipient }: { api: GiftsApi; recipient: Recipient }) {
  const { t, fault } = useSpeech();
  const [gifts, setGifts] = useState<readonly OwnGift[] | null>(null);
  const [cursor, setCursor] = useState("");
  const [failed, setFailed] = useState("");
  const once = useOneAtATime();
  const load = async (from: string) => {
    setFailed("");
    await api.gifts(recipient.id, from).then(
      (page) => {
        setGifts((before) => [...(before ?? []), ...page.gifts]);
        setCursor(page.nextCursor);
      },
      (reason: unknown) => setFailed(fault(reason)),
    );
  };
  useOnMount(() => void load(""));
  const replace = (changed: OwnGift) =>
    setGifts((now) => now?.map((gift) => (gift.id === changed.id ? changed : gift)) ?? null);
  if (gifts?.length === 0) return null;
  return (
    <>
      <h3>{t.gifts}</h3>
      <p class="fault" role="alert">
        {failed}
      </p>
      {gifts === null && failed === "" && <p role="status">{t.loading}</p>}
      {gifts !== null && (
        <ul class="gifts">
          {gifts.map((gift) => (
            <GiftView
              key={gift.id}
              api={api}
              gift={gift}
              takesAnonymousGifts={recipient.takesAnonymousGifts}
              onChange={replace}
            />
          ))}
        </ul>
      )}
      {cursor !== "" && (
        <button type="button" class="outlined" onClick={once(() => load(cursor))}>
          {t.older}
        </button>
      )}
    </>
  );
}

function Years({ api, recipient }: { api: GiftsApi; recipient: Recipient }) {
  const { t, year, language } = useSpeech();
  const [said, setSaid] = useState({ sentence: "", isFault: false });
  if (recipient.years.length === 0) return null;
  return (
    <>
      <h3>{t.statements}</h3>
      <p class="actions">
        {recipient.years.map((each) => (
          <DownloadButton
            key={each.year}
            api={api}
            wanted={{ kind: "statement", organization_id: recipient.id, year: each.year, language }}
            label={t.statement(year(each.first, each.last))}
            onSaid={(sentence, isFault) => setSaid({ sentence, isFault })}
          />
        ))}
      </p>
      <Said {...said} />
    </>
  );
}
