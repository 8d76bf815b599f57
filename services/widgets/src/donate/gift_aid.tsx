import type { Money } from "../money";
import type { Rhythm } from "../rhythm";
import type { Organization } from "../site/api";
import { FormField } from "./field";
import { typed } from "./gift_options";
import type { OptionFaults, OptionsDraft } from "./gift_options_draft";
import { type Speech, speechIn, useSpeech } from "./language";

interface GiftAidChoiceProps {
  /** All in the UK. */
  readonly organizations: readonly Organization[];
  readonly rhythm: Rhythm;
  /** In all; null while it is none that can be given. */
  readonly amount: Money | null;
  readonly options: OptionsDraft;
  readonly faults: OptionFaults;
  readonly onOptions: (options: OptionsDraft) => void;
}

/** A box that is never ticked beforehand; ticked, the words that the donor declares, and what HMRC asks for. */
export function GiftAidChoice(props: GiftAidChoiceProps) {
  const speech = useSpeech();
  const { t } = speech;
  const { options, onOptions } = props;
  const text = typed(props, speech);
  return (
    <div class="field">
      <label class="choice">
        <input
          type="checkbox"
          checked={options.declaresGiftAid}
          onChange={(event) => onOptions({ ...options, declaresGiftAid: event.currentTarget.checked })}
        />
        {t.giftAid}
      </label>
      {options.declaresGiftAid && (
        <fieldset class="group">
          <legend>{t.declaration}</legend>
          <Declaration {...props} />
          <FormField {...text("title", 4)} label={t.personTitle} hint={t.personTitleHint} />
          <FormField {...text("firstName", 35)} label={t.firstName} />
          <FormField {...text("lastName", 35)} label={t.lastName} />
          <FormField {...text("house", 40)} label={t.house} />
          <FormField {...text("postcode", 20)} label={t.postcode} hint={t.postcodeHint} />
        </fieldset>
      )}
    </div>
  );
}

/**
 * gov.uk, "Gift Aid declarations": what a declaration must say, of a single gift or of all that follow. HMRC's words are English,
 * and stand beside every translation.
 */
function Declaration(props: GiftAidChoiceProps) {
  const speech = useSpeech();
  const { t, language } = speech;
  return (
    <>
      <p>{declared(props, speech)}</p>
      {language !== "en" && (
        <p class="hint">
          {t.declarationCounts} <span lang="en">{declared(props, speechIn("en"))}</span>
        </p>
      )}
      <p class="hint">{t.declarationChanges}</p>
    </>
  );
}

function declared({ organizations, rhythm, amount }: GiftAidChoiceProps, { t, money, list }: Speech): string {
  const to = list(organizations.map(({ name }) => name));
  return t.iDeclare({
    to,
    isOne: organizations.length === 1,
    sum: amount === null ? null : money(amount),
    isOnce: rhythm === "once",
  });
}
