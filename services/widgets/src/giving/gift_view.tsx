import { useState } from "preact/hooks";

import { useOneAtATime } from "../site/one_at_a_time";
import { DownloadButton } from "./download_button";
import { ANONYMITIES, type Anonymity, type GiftsApi, type OwnGift, type Receipt } from "./gifts_api";
import { useSpeech } from "./language";

interface GiftViewProps {
  readonly api: GiftsApi;
  readonly gift: OwnGift;
  readonly takesAnonymousGifts: boolean;
  readonly onChange: (gift: OwnGift) => void;
}

/** One gift: how it stands, its receipts, and who is told of it. */
export function GiftView({ api, gift, takesAnonymousGifts, onChange }: GiftViewProps) {
  const { t, money, day } = useSpeech();
  const [isOpen, setOpen] = useState(false);
  const about = [
    gift.isOfPlan && t.recurringGift,
    gift.isPart && t.splitGift,
    t.offline[gift.method],
    gift.fund !== "" && t.fund(gift.fund),
  ].filter(Boolean);
  const standing = t.standing[gift.standing];
  return (
    <li>
      <p class="gift">
        <span>{day(gift.givenOn)}</span>
        <strong>{gift.description === "" ? money(gift.amount) : gift.description}</strong>
      </p>
      {about.length > 0 && <p class="about">{about.join(" · ")}</p>}
      {standing !== undefined && (
        <p class="standing">
          {standing}.{gift.standing === "partially_refunded" && ` ${t.givenBack(money(gift.refunded))}`}
        </p>
      )}
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary aria-label={`${t.more}: ${day(gift.givenOn)}, ${gift.description || money(gift.amount)}`}>
          {t.more}
        </summary>
        {isOpen && <Receipts api={api} gift={gift} />}
        {isOpen && <WhoIsTold api={api} gift={gift} takesAnonymousGifts={takesAnonymousGifts} onChange={onChange} />}
      </details>
    </li>
  );
}

function Receipts({ api, gift }: { api: GiftsApi; gift: OwnGift }) {
  const { t, fault } = useSpeech();
  const [said, setSaid] = useState({ sentence: "", isFault: false });
  const once = useOneAtATime();
  const say = (sentence: string, isFault: boolean) => setSaid({ sentence, isFault });
  const resend = once(() =>
    api.resendReceipt(gift).then(
      () => say(t.resent, false),
      (reason: unknown) => say(fault(reason), true),
    ),
  );
  const wanted = (receipt: Receipt) => ({ kind: "receipt", donation_id: gift.id, receipt_id: receipt.id }) as const;
  return (
    <>
      <h4>{t.receipts}</h4>
      {gift.receipts.length === 0 && <p>{t.noReceipt}</p>}
      {gift.receipts.length > 0 && (
        <ul class="papers">
          {gift.receipts.map((receipt) => (
            <li key={receipt.id}>
              <DownloadButton
                api={api}
                wanted={wanted(receipt)}
                label={t.downloadReceipt(receipt.number)}
                onSaid={say}
              />
              {t.receiptState[receipt.state] && <span class="void"> {t.receiptState[receipt.state]}</span>}
            </li>
          ))}
          <li>
            <DownloadButton
              api={api}
              wanted={{ kind: "proof", donation_id: gift.id }}
              label={t.downloadProof}
              onSaid={say}
            />
          </li>
          <li>
            <button type="button" class="outlined" onClick={resend}>
              {t.resend}
            </button>
          </li>
        </ul>
      )}
      <Said {...said} />
    </>
  );
}

function WhoIsTold({ api, gift, takesAnonymousGifts, onChange }: GiftViewProps) {
  const { t, fault } = useSpeech();
  const [chosen, setChosen] = useState(gift.anonymity);
  const [said, setSaid] = useState({ sentence: "", isFault: false });
  const once = useOneAtATime();
  // What the organisation's rules do not allow, or cannot be since it recorded the gift, is not offered; what stands is.
  const mayBeKept = takesAnonymousGifts && gift.method === "";
  const offered = ANONYMITIES.filter((each) => each !== "organization" || mayBeKept || gift.anonymity === each);
  const save = once(async () => {
    setSaid({ sentence: "", isFault: false });
    await (chosen === gift.anonymity ? Promise.resolve(gift) : api.changeAnonymity(gift, chosen)).then(
      (changed) => {
        onChange(changed);
        setSaid({ sentence: t.anonymitySaved, isFault: false });
      },
      (reason: unknown) => setSaid({ sentence: fault(reason), isFault: true }),
    );
  });
  const choice = (each: Anonymity) => (
    <label class="choice" key={each}>
      <input type="radio" name={`told-${gift.id}`} checked={chosen === each} onChange={() => setChosen(each)} />
      {t.anonymity[each]}
    </label>
  );
  return (
    <form noValidate onSubmit={save}>
      <fieldset class="ways">
        <legend>{t.whoIsTold}</legend>
        {offered.map(choice)}
      </fieldset>
      <p class="hint">{t.anonymityNote}</p>
      <button type="submit" class="outlined">
        {t.anonymitySave}
      </button>
      <Said {...said} />
    </form>
  );
}

/** What happened, where it happened; read aloud as it changes. */
export function Said({ sentence, isFault }: { sentence: string; isFault: boolean }) {
  return (
    <>
      <p class="fault" role="alert">
        {isFault ? sentence : ""}
      </p>
      <p class="said" role="status">
        {isFault ? "" : sentence}
      </p>
    </>
  );
}
