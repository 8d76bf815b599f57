import { useRef, useState } from "preact/hooks";

import type { PaymentHandle } from "../site/api";
import { useOneAtATime } from "../site/one_at_a_time";
import { type GivingSpeech, useSpeech } from "./language";
import { AmountForm, EndForm, PauseForm } from "./plan_forms";
import type { Plan, PlansApi } from "./plans_api";
import { StripeStep } from "./stripe_step";

interface PlanViewProps {
  readonly api: PlansApi;
  readonly plan: Plan;
  readonly stripeJsUrl: string;
  readonly onChange: (plan: Plan) => void;
}

type Opened = "nothing" | "amount" | "pause" | "end" | { readonly stores: boolean; readonly handle: PaymentHandle };

/** One plan: how it stands, what can be done about it, and what was collected. */
export function PlanView({ api, plan, stripeJsUrl, onChange }: PlanViewProps) {
  const speech = useSpeech();
  const { t, money } = speech;
  const [opened, setOpened] = useState<Opened>("nothing");
  const [fault, setFault] = useState("");
  const once = useOneAtATime();
  const place = useRef<HTMLElement>(null);
  // The button or form that had the focus may be gone: the plan takes it, so that nobody is left nowhere.
  const close = () => {
    setOpened("nothing");
    place.current?.focus();
  };

  const work = async (change: () => Promise<Plan>) => {
    setFault("");
    await change().then(
      (changed) => {
        close();
        onChange(changed);
      },
      (reason: unknown) => setFault(speech.fault(reason)),
    );
  };
  const atStripe = (stores: boolean) =>
    once(async () => {
      setFault("");
      await api.open(plan, stores ? "card" : "pay").then(
        (handle) => setOpened({ stores, handle }),
        (reason: unknown) => setFault(speech.fault(reason)),
      );
    });
  const hasEnded = plan.status === "ended";
  return (
    <section class="plan" ref={place} tabIndex={-1} aria-label={t.plan(plan.organization)}>
      <p>
        <strong>{money(plan.amount)}</strong> {t.every[plan.every] ?? plan.every}. {standing(plan, speech)}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {!hasEnded && opened === "nothing" && (
        <Actions
          plan={plan}
          onOpen={setOpened}
          onSkip={once(() => work(() => api.change(plan, "skip")))}
          onResume={once(() => work(() => api.change(plan, "resume")))}
          onCard={atStripe(true)}
          onPay={atStripe(false)}
        />
      )}
      {opened === "amount" && (
        <AmountForm plan={plan} onClose={close} onSave={(to) => work(() => api.changeAmount(plan, to))} />
      )}
      {opened === "pause" && <PauseForm onClose={close} onSave={(until) => work(() => api.pause(plan, until))} />}
      {opened === "end" && <EndForm onClose={close} onSave={() => work(() => api.change(plan, "cancel"))} />}
      {typeof opened === "object" && (
        <StripeStep
          {...opened}
          stripeJsUrl={stripeJsUrl}
          onClose={close}
          onDone={() => work(() => (opened.stores ? api.change(plan, "card/stored") : found(api, plan)))}
        />
      )}
      <Periods plan={plan} />
    </section>
  );
}

interface ActionsProps {
  readonly plan: Plan;
  readonly onOpen: (what: "amount" | "pause" | "end") => void;
  readonly onSkip: (event: Event) => void;
  readonly onResume: (event: Event) => void;
  readonly onCard: (event: Event) => void;
  readonly onPay: (event: Event) => void;
}

function Actions({ plan, onOpen, onSkip, onResume, onCard, onPay }: ActionsProps) {
  const { t } = useSpeech();
  const action = (label: string, onClick: (event: Event) => void) => (
    <button type="button" class="outlined" aria-label={t.about(label, plan.organization)} onClick={onClick}>
      {label}
    </button>
  );
  return (
    <p class="actions">
      {plan.waitsForDonor && action(t.payNow, onPay)}
      {plan.status === "paused" && action(t.resume, onResume)}
      {action(t.changeAmount, () => onOpen("amount"))}
      {plan.nextOn !== "" && action(t.skip, onSkip)}
      {action(t.pause, () => onOpen("pause"))}
      {action(t.anotherCard, onCard)}
      {action(t.end, () => onOpen("end"))}
    </p>
  );
}

function Periods({ plan }: { plan: Plan }) {
  const { t, money, day } = useSpeech();
  if (plan.periods.length === 0) return null;
  return (
    <details>
      <summary>{t.periods}</summary>
      <ul>
        {plan.periods.map((period) => (
          <li key={period.dueOn}>
            {day(period.dueOn)}: {money(period.amount)}, {t.period[period.state] ?? period.state}
          </li>
        ))}
      </ul>
    </details>
  );
}

function standing(plan: Plan, { t, day }: GivingSpeech): string {
  if (plan.status === "ended") return t.ended;
  const paidBy = plan.methodKind === "sepa_debit" ? t.paidByAccount : t.paidByCard;
  const method = plan.last4 === "" ? "" : ` ${paidBy(plan.last4)}`;
  if (plan.status === "past_due") return `${t.behind}${method}`;
  if (plan.reason === "contested") return `${t.contested}${method}`;
  if (plan.nextOn === "") return `${t.paused}${method}`;
  return `${t.next(day(plan.nextOn))}${method}`;
}

async function found(api: PlansApi, plan: Plan): Promise<Plan> {
  return (await api.plans()).find(({ id }) => id === plan.id) ?? plan;
}
