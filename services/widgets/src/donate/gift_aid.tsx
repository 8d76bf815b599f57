import { formatMoney } from "../money";
import type { Rhythm } from "../rhythm";
import type { Organization } from "../site/api";
import { acceptableAmount } from "./draft";
import { FormField } from "./field";
import { typed } from "./gift_options";
import type { Keeps, OptionFaults, OptionsDraft } from "./gift_options_draft";

interface GiftAidChoiceProps {
  readonly organization: Organization;
  readonly rhythm: Rhythm;
  /** As typed. */
  readonly amount: string;
  readonly currency: string;
  readonly options: OptionsDraft;
  readonly faults: OptionFaults;
  readonly onOptions: (options: OptionsDraft) => void;
}

/** Where Gift Aid can be: a gift in pounds to an organisation in the UK, from a person. */
export function keepsWithGiftAid(keeps: Keeps, { country }: Organization, currency: string, { company }: OptionsDraft): Keeps {
  return { ...keeps, giftAid: keeps.giftAid && country === "GB" && currency === "GBP" && company.trim() === "" };
}

/** A box that is never ticked beforehand; ticked, the words that the donor declares, and what HMRC asks for. */
export function GiftAidChoice(props: GiftAidChoiceProps) {
  const { options, onOptions } = props;
  const text = typed(props);
  return (
    <div class="field">
      <label class="choice">
        <input
          type="checkbox"
          checked={options.declaresGiftAid}
          onChange={(event) => onOptions({ ...options, declaresGiftAid: event.currentTarget.checked })}
        />
        Gift Aid it: 25p more for every £1, at no cost to you
      </label>
      {options.declaresGiftAid && (
        <fieldset class="group">
          <legend>Your declaration</legend>
          <Declaration {...props} />
          <FormField {...text("title", 4)} label="Title" hint="Such as Ms. You may leave it empty." />
          <FormField {...text("firstName", 35)} label="First name" />
          <FormField {...text("lastName", 35)} label="Last name" />
          <FormField {...text("house", 200)} label="House name or number" />
          <FormField {...text("postcode", 20)} label="Postcode of your home" hint="X if you live outside the UK." />
        </fieldset>
      )}
    </div>
  );
}

/** gov.uk, "Gift Aid declarations": what a declaration must say, of a single gift or of all that follow. */
function Declaration({ organization, rhythm, amount, currency }: GiftAidChoiceProps) {
  const money = acceptableAmount(amount, currency);
  const gift = "fault" in money ? "my donation" : `my donation of ${formatMoney(money)}`;
  return (
    <>
      <p>
        I want to Gift Aid {rhythm === "once" ? gift : "this donation, and all that follow it as I chose above,"} to{" "}
        {organization.name}. I am a UK taxpayer and understand that if I pay less Income Tax and/or Capital Gains Tax than the
        amount of Gift Aid claimed on all my donations in that tax year, it is my responsibility to pay any difference.
      </p>
      <p class="hint">
        Tell the organisation if you want to cancel this declaration, change your name or home address, or no longer pay enough
        tax.
      </p>
    </>
  );
}
