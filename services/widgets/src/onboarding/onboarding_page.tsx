import { useMemo, useState } from "preact/hooks";

import type { SiteConfig } from "../site/config";
import { RequestFault, sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";
import { useOnMount } from "../site/use_on_mount";
import { type Onboarding, OnboardingApi } from "./onboarding_api";

export type Arrival = "letter" | "back" | "again";

interface OnboardingPageProps {
  readonly config: SiteConfig;
  /** Of the invitation; empty when the page was opened without one. */
  readonly token: string;
  readonly arrival: Arrival;
  readonly onExpired: () => void;
}

const UNAUTHORIZED = 401;
const NO_TOKEN = "Open this page by the link in our invitation, or ask us for a new one.";
const SAID: Readonly<Record<Arrival, string>> = {
  letter: "",
  back: "You are back from Stripe. It may take a moment, or days, until Stripe has decided.",
  again: "That link to Stripe was used, or too old. Nothing is lost: go on with a new one.",
};

/** How far an organisation is on its way to taking gifts, and the next step. */
export function OnboardingPage({ config, token, arrival, onExpired }: OnboardingPageProps) {
  const api = useMemo(() => new OnboardingApi(config.apiUrl, token), [config, token]);
  const [found, setFound] = useState<Onboarding | null>(null);
  const [fault, setFault] = useState(token === "" ? NO_TOKEN : "");
  const once = useOneAtATime();
  const failed = (reason: unknown) => {
    setFault(sentenceOf(reason));
    if (!(reason instanceof RequestFault) || reason.status !== UNAUTHORIZED) return;
    onExpired();
    setFound(null);
  };
  useOnMount(() => {
    if (token !== "") api.show().then(setFound, failed);
  });
  const goOn = once(async () => {
    setFault("");
    await api.link().then((url) => location.assign(url), failed);
  });
  return (
    <>
      <h1>{found === null ? "Take gifts" : found.name}</h1>
      {config.isTestMode && <p class="notice">Test mode: no real money moves.</p>}
      <p class="fault" role="alert">
        {fault}
      </p>
      {found === null && fault === "" && <p role="status">Loading…</p>}
      {found !== null && <State found={found} arrival={arrival} onGoOn={goOn} />}
    </>
  );
}

interface StateProps {
  readonly found: Onboarding;
  readonly arrival: Arrival;
  readonly onGoOn: (event: Event) => void;
}

function State({ found, arrival, onGoOn }: StateProps) {
  return (
    <>
      <p role="status">{found.takesGifts ? `${found.name} takes gifts.` : `${SAID[arrival]} ${found.reason}`.trim()}</p>
      {found.canContinue && (
        <form onSubmit={onGoOn}>
          <p>
            Stripe asks who you are, and where gifts are to be paid out. You answer on Stripe’s own pages; we see none
            of it, and gifts go straight to your own account there.
          </p>
          <button type="submit" class="primary">
            {found.takesGifts ? "Look at your answers at Stripe" : "Go on at Stripe"}
          </button>
        </form>
      )}
    </>
  );
}
