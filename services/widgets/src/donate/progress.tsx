import { useEffect, useState } from "preact/hooks";

import { asSaid } from "../language/speech";
import { donorsTimeZone, type Rhythm, secondGiftOn } from "../rhythm";
import type { Api, Donation, LedgerPlace, Returned } from "../site/api";
import { StepHeading } from "../site/step_heading";
import { follow, isSettled } from "./following";
import { type Said, type Speech, useSpeech } from "./language";
import { GivingLink } from "./links";
import { WayBack } from "./way_back";

interface ProgressProps {
  readonly api: Api;
  readonly donationId: string;
  /** The organization's name, when the page knows it already. */
  readonly organizationName: string | null;
  /** How often it is made; `once` for a single gift. */
  readonly rhythm: Rhythm;
  readonly startAgainUrl: string;
  /** The site that the donor came from and may go back to. */
  readonly returnTo: URL | null;
}

/** What became of the gift: paid, written into the ledger, published. */
export function Progress({ api, donationId, organizationName, rhythm, startAgainUrl, returnTo }: ProgressProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { donation, fault, hasGivenUp, lookAgain } = useDonation(api, donationId);
  const hasFailed = donation?.status === "failed" || donation?.status === "canceled";
  return (
    <section>
      <StepHeading>{headingFor(donation, speech)}</StepHeading>
      <div role="status">
        {donation !== null && !hasFailed && <Steps {...{ donation, organizationName, rhythm }} />}
        {hasFailed && <p>{t.paymentFailed}</p>}
        {hasGivenUp && donation?.status !== "processing" && <p>{t.takesLonger}</p>}
      </div>
      <p class="fault" role="alert">
        {fault?.(speech)}
      </p>
      {(hasGivenUp || fault !== null) && (
        <button type="button" class="primary" onClick={lookAgain}>
          {t.lookAgain}
        </button>
      )}
      {hasFailed && (
        <p>
          <a href={startAgainUrl}>{t.startAgain}</a>
        </p>
      )}
      {donation !== null && returnTo !== null && (
        <WayBack to={returnTo} standing={donation.returned ?? donation.status} donationId={donation.id} />
      )}
    </section>
  );
}

function headingFor(donation: Donation | null, { t }: Speech): string {
  if (donation === null) return t.looking;
  if (donation.status === "succeeded") return donation.returned === null ? t.thankYou : t.returned[donation.returned];
  if (donation.status === "failed" || donation.status === "canceled") return t.notPaid;
  return t.confirming;
}

interface StepsProps {
  readonly donation: Donation;
  readonly organizationName: string | null;
  readonly rhythm: Rhythm;
}

function Steps({ donation, organizationName, rhythm }: StepsProps) {
  const speech = useSpeech();
  const { t, money } = speech;
  const isPaid = donation.status === "succeeded";
  const amount = money(donation.amount);
  const gift = organizationName === null ? amount : t.giftTo(amount, organizationName);
  return (
    <ol class="steps">
      <li data-state={isPaid ? "done" : "now"}>{isPaid ? t.wentThrough(gift) : t.awaiting(gift)}</li>
      {donation.status === "processing" && <li data-state="note">{t.debitsTakeDays}</li>}
      {isPaid && donation.returned !== null && (
        <li data-state="note">{whatReturned(donation, donation.returned, speech)}</li>
      )}
      {!isPaid && donation.waitsForBooks && <li data-state="note">{t.booksCompared}</li>}
      {isPaid && (
        <li data-state={isSettled(donation) ? "done" : "now"}>
          <Place ledger={donation.ledger} />
        </li>
      )}
      {isPaid && donation.returned === null && (
        <li data-state="note">{isSettled(donation) ? t.receiptOnItsWay : t.receiptComes}</li>
      )}
      {isPaid && rhythm !== "once" && donation.createdAt !== null && (
        <NextGift begun={donation.createdAt} rhythm={rhythm} />
      )}
    </ol>
  );
}

function NextGift({ begun, rhythm }: { begun: Date; rhythm: Rhythm }) {
  const { t, day } = useSpeech();
  const next = day(secondGiftOn(begun, rhythm, donorsTimeZone()));
  return (
    <li data-state="note">
      {t.nextGift(next, (words) => (
        <GivingLink>{words}</GivingLink>
      ))}
    </li>
  );
}

/** No reasons: whoever has the link sees this page. */
function whatReturned({ refunded }: Donation, returned: Returned, { t, money }: Speech): string {
  const amount = refunded === null ? null : money(refunded);
  switch (returned) {
    case "partially_refunded":
      return t.partWentBack(amount);
    case "refunded":
      return t.wentBack(amount);
    case "disputed":
      return t.bankAsks;
    case "charged_back":
      return t.bankTook;
  }
}

function Place({ ledger }: { ledger: LedgerPlace | null }) {
  const { t } = useSpeech();
  if (ledger === null) return <>{t.beingWritten}</>;
  const { index, checkpointSize } = ledger;
  if (checkpointSize === null) return <>{t.waitsForCheckpoint(index)}</>;
  return (
    <>
      {t.inLedger(index, checkpointSize, (words) => (
        <a href={`/ledger/?entry=${index}`}>{words}</a>
      ))}
    </>
  );
}

function useDonation(api: Api, donationId: string) {
  const [donation, setDonation] = useState<Donation | null>(null);
  const [fault, setFault] = useState<Said | null>(null);
  const [rounds, setRounds] = useState(0);
  const [hasGivenUp, setGivenUp] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round begins anew
  useEffect(() => {
    const leaving = new AbortController();
    const watch = async () => {
      let latest: Donation | null = null;
      for await (latest of follow(api, donationId, leaving.signal)) setDonation(latest);
      if (!leaving.signal.aborted) setGivenUp(latest === null || !isSettled(latest));
    };
    watch().catch((reason: unknown) => setFault(() => asSaid(reason)));
    return () => leaving.abort();
  }, [api, donationId, rounds]);
  const lookAgain = () => {
    setFault(null);
    setGivenUp(false);
    setRounds(rounds + 1);
  };
  return { donation, fault, hasGivenUp, lookAgain };
}
