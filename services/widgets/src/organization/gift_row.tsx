import { useState } from "preact/hooks";

import { ActionResult } from "../account/action_result";
import { type Attempts, useAttempts } from "../account/confirming";
import { momentIn, type PersonSpeech, useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { RequestFault } from "../site/http";
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
  const { attempt, forget, ...became } = useAttempts(look);
  const { name, isOffered, onOpen } = useUntilClosed(!isRefundable(gift));
  const [isAskedHere, setAskedHere] = useState(false);
  const underWay = gift.refunds.filter(({ status }) => status === "requested" || status === "pending");
  const isLookedAt = isAskedHere || underWay.some(({ status }) => status === "requested");
  useLookedAt(isLookedAt ? underWay.map(({ id }) => id).join(" ") : "", look);
  const begun = momentIn(language, gift.createdAt);
  const title = `${gift.donor || t.donorNotNamed} · ${money(gift.amount)}`;
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
          <RefundDisclosure
            gifts={gifts}
            gift={gift}
            about={`${title}, ${begun}`}
            attempt={attempt}
            forget={forget}
            onOpen={onOpen}
            onChanged={onChanged}
            onAsked={() => setAskedHere(true)}
          />
        )}
        {underWay.length > 0 && (
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

interface RefundDisclosureProps
  extends Pick<GiftRowProps, "gifts" | "gift" | "onChanged">,
    Pick<Attempts, "attempt" | "forget"> {
  readonly about: string;
  readonly onOpen: (isOpen: boolean) => void;
  readonly onAsked: () => void;
}

/** Asks for a refund, and for it once, also where the answer is lost. */
function RefundDisclosure({ gifts, gift, about, attempt, forget, onOpen, onChanged, onAsked }: RefundDisclosureProps) {
  const { t, money } = useSpeech();
  const look = async () => {
    const now = await gifts.gift(gift.id);
    onChanged(now);
    return now;
  };
  const ask = async (asked: RefundAsked, key: string, guard: Guard) => {
    try {
      await guard(() => gifts.refund(gift.id, asked, key));
    } catch (reason) {
      // It may have been asked for all the same. Where that cannot be seen either, it is when the form is opened again.
      if (isUnanswered(reason)) await look().catch(() => {});
      throw reason;
    }
    onAsked();
  };
  return (
    <DisclosureForm
      action={t.giveBack}
      about={about}
      title={t.giveBackTitle}
      attempt={attempt}
      onOpen={onOpen}
      // One key for what is decided in this form, however often it is sent.
      load={async () => ({ now: await look(), key: crypto.randomUUID() })}
    >
      {({ now, key }, close) => (
        <RefundForm
          gift={now}
          onAsk={(asked, guard) =>
            attempt(
              () => ask(asked, key, guard).then(close),
              undefined,
              false,
              ({ refundOf }) => refundOf(money(asked.amount)),
            )
          }
          onEdit={forget}
          onLeave={() => {
            forget();
            close();
          }}
        />
      )}
    </DisclosureForm>
  );
}

function saidOf({ amount, status, failureCode }: Refund, { t, money }: PersonSpeech): string {
  const state = failureCode === "" ? t.refundStates[status] : (t.refundFailures[failureCode] ?? t.refundStates.failed);
  return t.refundLine(money(amount), state);
}

function isUnanswered(reason: unknown): boolean {
  return reason instanceof RequestFault && (reason.status === 0 || reason.status >= 500);
}
