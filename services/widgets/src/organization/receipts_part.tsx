import { useSpeech } from "../account/language";
import type { Kept } from "../account/organization_admin_page";
import { Part } from "../account/part";
import type { ReceiptSettings, ReceiptsApi, SaidOfReceipts } from "./receipts_api";
import { differing } from "./receipts_draft";
import { ReceiptsForm } from "./receipts_form";
import type { Keeping } from "./saving";
import { VersionedForm } from "./versioned_form";

interface ReceiptsPartProps extends Kept {
  readonly receipting: ReceiptsApi;
  readonly settings: ReceiptSettings;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}

/** How the organisation issues receipts: whether they are official, what staff verified, and what it says itself. */
export function ReceiptsPart({ receipting, settings, ...kept }: ReceiptsPartProps) {
  const { t } = useSpeech();
  return (
    <Part {...kept} title={t.receiptsTitle} about={t.receiptsAbout} saysBelow>
      {(attempt) => (
        <>
          <Standing settings={settings} />
          <VersionedForm
            of={settings}
            keeping={keepingOf(receipting)}
            attempt={attempt}
            saved={(words) => words.receiptsSaved}
          >
            {({ base, isAnew, onSave }) => <ReceiptsForm settings={base} isAnew={isAnew} onSave={onSave} />}
          </VersionedForm>
        </>
      )}
    </Part>
  );
}

function keepingOf(receipting: ReceiptsApi): Keeping<SaidOfReceipts, ReceiptSettings> {
  return {
    look: () => receipting.settings(),
    change: (said, version) => receipting.change(said, version),
    differing: (one, other) => differing(one, other).map((field) => (t) => t.receiptFields[field]),
  };
}

function Standing({
  settings: { legalName, registrationNumber, isOfficial, missing },
}: {
  readonly settings: ReceiptSettings;
}) {
  const { t, list } = useSpeech();
  const acknowledged =
    missing.length > 0
      ? t.receiptsLack(list(missing.map((field) => t.receiptsLacking[field])))
      : t.receiptsAcknowledged;
  return (
    <>
      <p>{isOfficial ? t.receiptsOfficial : acknowledged}</p>
      <p class="hint">{registrationNumber ? t.verifiedByStaff : t.changedByStaff}</p>
      <dl class="facts verified">
        <div>
          <dt>{t.legalName}</dt>
          <dd>{legalName}</dd>
        </div>
        <div>
          <dt>{t.registrationNumber}</dt>
          <dd>{registrationNumber || t.nothingYet}</dd>
        </div>
      </dl>
    </>
  );
}
