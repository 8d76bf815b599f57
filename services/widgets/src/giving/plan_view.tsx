import { useState } from "preact/hooks";

import { formatMoney } from "../money";
import type { PaymentHandle } from "../site/api";
import { sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
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

const EVERY: Readonly<Record<string, string>> = { month: "each month", quarter: "each quarter", year: "each year" };
const PERIOD: Readonly<Record<string, string>> = {
  paid: "given",
  skipped: "skipped",
  open: "being collected",
  waiting: "on its way",
  giving_up: "not collected",
  given_up: "not collected",
};

/** One plan: how it stands, what can be done about it, and its gifts. */
export function PlanView({ api, plan, stripeJsUrl, onChange }: PlanViewProps) {
  const [opened, setOpened] = useState<Opened>("nothing");
  const [fault, setFault] = useState("");
  const once = useOneAtATime();
  const close = () => setOpened("nothing");

  const work = async (change: () => Promise<Plan>) => {
    setFault("");
    await change().then(
      (changed) => {
        close();
        onChange(changed);
      },
      (reason: unknown) => setFault(sentenceOf(reason)),
    );
  };
  const atStripe = (stores: boolean) =>
    once(async () => {
      setFault("");
      await api.open(plan, stores ? "card" : "pay").then(
        (handle) => setOpened({ stores, handle }),
        (reason: unknown) => setFault(sentenceOf(reason)),
      );
    });
  const hasEnded = plan.status === "ended";
  return (
    <section aria-label={`Gifts to ${plan.organization}`}>
      <h2>{plan.organization}</h2>
      <p>
        <strong>{formatMoney(plan.amount)}</strong> {EVERY[plan.every] ?? plan.every}. {standing(plan)}
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
      {opened === "amount" && <AmountForm plan={plan} onClose={close} onSave={(to) => work(() => api.changeAmount(plan, to))} />}
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
  const about = `: gifts to ${plan.organization}`;
  const action = (label: string, onClick: (event: Event) => void) => (
    <button type="button" class="outlined" aria-label={`${label}${about}`} onClick={onClick}>
      {label}
    </button>
  );
  return (
    <p class="actions">
      {plan.waitsForDonor && action("Pay now", onPay)}
      {plan.status === "paused" && action("Resume", onResume)}
      {action("Change the amount", () => onOpen("amount"))}
      {plan.nextOn !== "" && action("Skip the next one", onSkip)}
      {action("Pause", () => onOpen("pause"))}
      {action("Another card", onCard)}
      {action("End", () => onOpen("end"))}
    </p>
  );
}

function Periods({ plan }: { plan: Plan }) {
  if (plan.periods.length === 0) return null;
  return (
    <details>
      <summary>Your gifts so far</summary>
      <ul>
        {plan.periods.map((period) => (
          <li key={period.dueOn}>
            {dayText(period.dueOn)}: {formatMoney(period.amount)}, {PERIOD[period.state] ?? period.state}
          </li>
        ))}
      </ul>
    </details>
  );
}

function standing(plan: Plan): string {
  const card = plan.last4 === "" ? "" : ` It is paid by what ends in ${plan.last4}.`;
  if (plan.status === "ended") return "This has ended; nothing more is collected.";
  if (plan.status === "past_due") return `The last one could not be collected yet.${card}`;
  if (plan.nextOn === "") return `It is paused; nothing is collected.${card}`;
  return `The next one is on ${dayText(plan.nextOn)}.${card}`;
}

/** A calendar day, which is the same in every time zone. */
function dayText(day: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}

async function found(api: PlansApi, plan: Plan): Promise<Plan> {
  return (await api.plans()).find(({ id }) => id === plan.id) ?? plan;
}
