import { useEffect, useState } from "preact/hooks";

import { formatMoney } from "../money";
import { donorsTimeZone, type Rhythm, secondGiftOn } from "../rhythm";
import type { Api, Donation, LedgerPlace, Returned } from "../site/api";
import { sentenceOf } from "../site/http";
import { StepHeading } from "../site/step_heading";
import { follow, isSettled } from "./following";
import { dayText } from "./rhythm_choice";
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
  const { donation, fault, hasGivenUp, lookAgain } = useDonation(api, donationId);
  const hasFailed = donation?.status === "failed" || donation?.status === "canceled";
  return (
    <section>
      <StepHeading>{headingFor(donation)}</StepHeading>
      <div role="status">
        {donation !== null && !hasFailed && <Steps {...{ donation, organizationName, rhythm }} />}
        {hasFailed && <p>The payment did not go through, and no money was taken.</p>}
        {hasGivenUp && donation?.status !== "processing" && (
          <p>This takes longer than usual. You can close the page: the receipt comes by e-mail.</p>
        )}
      </div>
      <p class="fault" role="alert">
        {fault}
      </p>
      {(hasGivenUp || fault !== "") && (
        <button type="button" class="primary" onClick={lookAgain}>
          Look again
        </button>
      )}
      {hasFailed && (
        <p>
          <a href={startAgainUrl}>Start again</a>
        </p>
      )}
      {donation !== null && returnTo !== null && (
        <WayBack to={returnTo} standing={donation.returned ?? donation.status} donationId={donation.id} />
      )}
    </section>
  );
}

const HEADINGS: Readonly<Record<Returned, string>> = {
  partially_refunded: "Refunded in part",
  refunded: "Refunded",
  disputed: "Disputed",
  charged_back: "Taken back",
};

function headingFor(donation: Donation | null): string {
  if (donation === null) return "Looking for your donation…";
  if (donation.status === "succeeded") return donation.returned === null ? "Thank you!" : HEADINGS[donation.returned];
  if (donation.status === "failed" || donation.status === "canceled") return "Not paid";
  return "Confirming your payment…";
}

interface StepsProps {
  readonly donation: Donation;
  readonly organizationName: string | null;
  readonly rhythm: Rhythm;
}

function Steps({ donation, organizationName, rhythm }: StepsProps) {
  const isPaid = donation.status === "succeeded";
  const amount = formatMoney(donation.amount);
  const gift = organizationName === null ? amount : `${amount} to ${organizationName}`;
  return (
    <ol class="steps">
      <li data-state={isPaid ? "done" : "now"}>
        {isPaid ? `${gift} went through.` : `${gift}: waiting for the payment's confirmation…`}
      </li>
      {donation.status === "processing" && (
        <li data-state="note">
          A card is confirmed within moments; a debit from your bank account takes days. You can close the page: the receipt
          comes by e-mail once the money has arrived, and not before.
        </li>
      )}
      {isPaid && donation.returned !== null && <li data-state="note">{whatReturned(donation, donation.returned)}</li>}
      {!isPaid && donation.waitsForBooks && (
        <li data-state="note">
          Our books take nothing just now: we compare them with the public ledger. If your bank has confirmed the payment,
          it is safe. You need not pay again, and can close the page: the receipt comes by e-mail.
        </li>
      )}
      {isPaid && (
        <li data-state={isSettled(donation) ? "done" : "now"}>
          <Place ledger={donation.ledger} />
        </li>
      )}
      {isPaid && donation.returned === null && (
        <li data-state="note">
          {isSettled(donation)
            ? "Your receipt with the proof is on its way to you by e-mail."
            : "You can close the page: your receipt comes by e-mail, with the proof."}
        </li>
      )}
      {isPaid && rhythm !== "once" && donation.createdAt !== null && (
        <li data-state="note">
          The next gift is collected on {dayText(secondGiftOn(donation.createdAt, rhythm, donorsTimeZone()))}. You can change,
          pause or end it on <a href="/giving/">your recurring gifts</a>, or by the link in our letters.
        </li>
      )}
    </ol>
  );
}

/** No reasons: whoever has the link sees this page. */
function whatReturned({ refunded }: Donation, returned: Returned): string {
  const amount = refunded === null ? "It" : formatMoney(refunded);
  switch (returned) {
    case "partially_refunded":
      return `${amount} of it went back to you; the rest stays given.`;
    case "refunded":
      return `${amount} went back to you.`;
    case "disputed":
      return "The bank that paid it has asked for it back. Until that is decided, the money is held.";
    case "charged_back":
      return "The bank that paid it has taken it back.";
  }
}

function Place({ ledger }: { ledger: LedgerPlace | null }) {
  if (ledger === null) return <>Being written into the public ledger…</>;
  if (ledger.checkpointSize === null) return <>Entry {ledger.index}, waiting for the next checkpoint…</>;
  return (
    <>
      In the public ledger for anyone to check:{" "}
      <a href={`/ledger/?entry=${ledger.index}`}>
        entry {ledger.index} in checkpoint {ledger.checkpointSize}
      </a>
    </>
  );
}

function useDonation(api: Api, donationId: string) {
  const [donation, setDonation] = useState<Donation | null>(null);
  const [fault, setFault] = useState("");
  const [rounds, setRounds] = useState(0);
  const [hasGivenUp, setGivenUp] = useState(false);
  useEffect(() => {
    const leaving = new AbortController();
    const watch = async () => {
      let latest: Donation | null = null;
      for await (latest of follow(api, donationId, leaving.signal)) setDonation(latest);
      if (!leaving.signal.aborted) setGivenUp(latest === null || !isSettled(latest));
    };
    watch().catch((reason: unknown) => setFault(sentenceOf(reason)));
    return () => leaving.abort();
  }, [rounds]);
  const lookAgain = () => {
    setFault("");
    setGivenUp(false);
    setRounds(rounds + 1);
  };
  return { donation, fault, hasGivenUp, lookAgain };
}
