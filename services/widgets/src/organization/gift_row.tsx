import { useState } from "preact/hooks";

import { ActionResult } from "../account/action_result";
import { useAttempts } from "../account/confirming";
import { momentIn, type PersonSpeech, useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { DisclosureForm } from "./disclosure_form";
import { type Gift, type GiftsApi, isRefundable, type Refund, type RefundAsked } from "./gifts_api";
import { RefundForm } from "./refund_form";
import type { Guard } from "./refused";
import { useLookedAt } from "./use_looked_at";
import { useUntilClosed } from "./use_until_closed";

interface GiftRowProps extends Pick<Kept, "api" | "person"> {
  readonly gifts: GiftsApi;
  readonly gift: Gift;
  readonly onChanged: (gift: Gift) => void;
}

/** A gift, what went back of it, and giving it back. */
export function GiftRow({ gifts, gift, onChanged, ...who }: GiftRowProps) {
  const speech = useSpeech();
  const { t, language, money } = speech;
  const look = async () => onChanged(await gifts.gift(gift.id));
  const { attempt, ...became } = useAttempts(look);
  const { name, isOffered, onOpen } = useUntilClosed(!isRefundable(gift));
  const [isAskedHere, setAskedHere] = useState(false);
  const isUnderWay = gift.refunds.some(({ status }) => status === "requested" || status === "pending");
  useLookedAt(isUnderWay && (isAskedHere || gift.refunds.some(({ status }) => status === "requested")), look);
  const begun = momentIn(language, gift.createdAt);
  const title = `${gift.donor || t.donorNotNamed} · ${money(gift.amount)}`;
  const ask = async (asked: RefundAsked, key: string, guard: Guard) => {
    await guard(() => gifts.refund(gift.id, asked, key));
    setAskedHere(true);
  };
  return (
    <li>
      <p ref={name} tabIndex={-1}>
        <strong>{title}</strong>
      </p>
      <p class="about">{[begun, t.giftStandings[gift.standing] ?? gift.standing].join(" · ")}</p>
      <div role="status">
        {gift.refunds.map((refund) => (
          <p key={refund.id}>{saidOf(refund, speech)}</p>
        ))}
      </div>
      <div class="actions">
        {isOffered && (
          <DisclosureForm
            action={t.giveBack}
            about={`${title}, ${begun}`}
            title={t.giveBackTitle}
            attempt={attempt}
            onOpen={onOpen}
            // One key for what is decided in this form, however often it is sent.
            load={async () => ({ now: await gifts.gift(gift.id), key: crypto.randomUUID() })}
          >
            {({ now, key }, close) => (
              <RefundForm
                gift={now}
                onAsk={(asked, guard) => attempt(() => ask(asked, key, guard).then(close))}
                onLeave={close}
              />
            )}
          </DisclosureForm>
        )}
        {isUnderWay && (
          <button
            type="button"
            class="outlined"
            aria-label={`${t.lookAgain}: ${title}, ${begun}`}
            onClick={() => void attempt(async () => {})}
          >
            {t.lookAgain}
          </button>
        )}
      </div>
      <ActionResult {...became} {...who} />
    </li>
  );
}

function saidOf({ amount, status, failureCode }: Refund, { t, money }: PersonSpeech): string {
  const state = failureCode === "" ? t.refundStates[status] : (t.refundFailures[failureCode] ?? t.refundStates.failed);
  return t.refundLine(money(amount), state);
}
