import { useEffect, useMemo, useState } from "preact/hooks";

import { FormField } from "../donate/field";
import type { SiteConfig } from "../site/config";
import { RequestFault, sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { PlanView } from "./plan_view";
import { type Plan, PlansApi } from "./plans_api";

interface GivingPageProps {
  readonly config: SiteConfig;
  /** Of the link in a letter; empty when the page was opened without one. */
  readonly token: string;
  readonly onExpired: () => void;
}

const UNAUTHORIZED = 401;

/** A donor's recurring gifts, or the way to them. */
export function GivingPage({ config, token, onExpired }: GivingPageProps) {
  const api = useMemo(() => new PlansApi(config.apiUrl, token), [config, token]);
  const [plans, setPlans] = useState<readonly Plan[] | null>(null);
  const [fault, setFault] = useState("");
  const [needsLink, setNeedsLink] = useState(token === "");
  useEffect(() => {
    if (token === "") return;
    api.plans().then(setPlans, (reason: unknown) => {
      setFault(sentenceOf(reason));
      if (!(reason instanceof RequestFault) || reason.status !== UNAUTHORIZED) return;
      onExpired();
      setNeedsLink(true);
    });
  }, []);
  const replace = (changed: Plan) => setPlans((now) => now?.map((plan) => (plan.id === changed.id ? changed : plan)) ?? null);
  return (
    <>
      <h1>Your recurring gifts</h1>
      {config.isTestMode && <p class="notice">Test mode: no real money moves.</p>}
      <p class="fault" role="alert">
        {fault}
      </p>
      {needsLink && <LinkForm api={api} />}
      {!needsLink && plans === null && fault === "" && <p role="status">Loading your gifts…</p>}
      {plans?.length === 0 && <p>No recurring gifts belong to this address.</p>}
      {plans?.map((plan) => <PlanView key={plan.id} api={api} plan={plan} stripeJsUrl={config.stripeJsUrl} onChange={replace} />)}
    </>
  );
}

function LinkForm({ api }: { api: PlansApi }) {
  const [email, setEmail] = useState("");
  const [fault, setFault] = useState<string | undefined>();
  const [answer, setAnswer] = useState("");
  const once = useOneAtATime();
  const submit = once(async () => {
    setFault(undefined);
    if (!/^[^\s@]+@[^\s@]+$/.test(email.trim())) return setFault("Write the e-mail address like name@example.org.");
    await api.askForLink(email.trim()).then(setAnswer, (reason: unknown) => setFault(sentenceOf(reason)));
  });
  if (answer !== "") return <p role="status">{answer}</p>;
  return (
    <form noValidate onSubmit={submit}>
      <p>Enter the e-mail address you give with. We send a link to your gifts there; you need no password.</p>
      <FormField
        id="email"
        label="Your e-mail address"
        type="email"
        autocomplete="email"
        maxLength={254}
        value={email}
        fault={fault}
        inputRef={null}
        onInput={(event) => setEmail(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        Send me a link
      </button>
    </form>
  );
}
