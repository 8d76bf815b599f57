import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

import { useSpeech, wordsOf } from "../account/language";
import { FormField, FormSelect, FormText } from "../donate/field";
import { LANGUAGES, type Language, localeOf } from "../language/language";
import { useOneAtATime } from "../site/one_at_a_time";
import { useLayoutOnMount } from "../site/use_on_mount";
import type { ReceiptSettings, SaidOfReceipts } from "./receipts_api";
import { fieldOf, PREFIX, saidIn } from "./receipts_draft";
import { type Guard, useFieldFaults } from "./refused";
import { showField } from "./texts_fields";

interface ReceiptsFormProps {
  readonly settings: ReceiptSettings;
  /** In place of another one, whose button is gone: it takes the focus. */
  readonly isAnew: boolean;
  readonly onSave: (said: SaidOfReceipts, guard: Guard) => Promise<void>;
}

/** What an organisation says itself of its receipts. The API says what is wrong with a field of it. */
export function ReceiptsForm({ settings: { said, offered }, isAnew, onSave }: ReceiptsFormProps) {
  const speech = useSpeech();
  const { t } = speech;
  const form = useRef<HTMLFormElement>(null);
  const { faults, refuse, guard } = useFieldFaults(
    ({ param }) => fieldOf(param),
    (name) => form.current && showField(form.current, name),
  );
  useLayoutOnMount(() => {
    if (isAnew && form.current) showField(form.current, `${PREFIX}address`);
  });
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const asked = saidIn(new FormData(event.currentTarget as HTMLFormElement), said);
    return once(async () => {
      refuse(new Map());
      await onSave(asked, guard);
    })(event);
  };
  const field = (name: string) => {
    const id = `${PREFIX}${name}`;
    return { id, fault: faults.has(id) ? wordsOf(speech, faults.get(id)) : undefined };
  };
  const line = { required: false, maxLength: 120, autocomplete: "off" } as const;
  return (
    <form ref={form} onSubmit={submit} noValidate>
      {offered.length > 1 && (
        <FormSelect {...field("jurisdiction")} label={t.receiptLaw}>
          {options(offered, said.jurisdiction, (law) => t.receiptLaws[law])}
        </FormSelect>
      )}
      <FormText
        {...field("address")}
        label={t.receiptAddress}
        hint={t.receiptAddressHint}
        defaultValue={said.address.join("\n")}
        autocomplete="off"
      />
      {offered.includes("CA") && (
        <FormField {...field("place")} {...line} label={t.receiptPlace} defaultValue={said.place} />
      )}
      <FormField
        {...field("signatory")}
        {...line}
        label={t.receiptSignatory}
        hint={t.receiptSignatoryHint}
        defaultValue={said.signatory}
      />
      <FormSelect {...field("language")} label={t.receiptLanguage} hint={t.receiptLanguageHint}>
        {options(Object.keys(LANGUAGES) as Language[], said.language, (language) => LANGUAGES[language])}
      </FormSelect>
      <FormSelect {...field("time-zone")} label={t.timeZone} hint={t.timeZoneHint}>
        {options(zonesWith(said.timeZone), said.timeZone, (zone) => zone)}
      </FormSelect>
      <FormSelect {...field("fiscal-year")} label={t.fiscalYear}>
        {options(MONTHS, said.fiscalYearStarts, (month) => monthIn(speech.language, month))}
      </FormSelect>
      <FormField
        {...field("colour")}
        {...line}
        label={t.receiptColour}
        hint={t.receiptColourHint}
        defaultValue={said.colour}
      />
      <button type="submit" class="primary">
        {t.receiptsSave}
      </button>
    </form>
  );
}

const MONTHS: readonly number[] = Array.from({ length: 12 }, (_, at) => at + 1);

function monthIn(language: Language, month: number): string {
  const first = Date.UTC(2000, month - 1);
  return new Intl.DateTimeFormat(localeOf(language), { month: "long", timeZone: "UTC" }).format(first);
}

/** Those that the browser knows, and the one that stands there. */
function zonesWith(standing: string): readonly string[] {
  return [...new Set([standing, "UTC", ...Intl.supportedValuesOf("timeZone")])];
}

function options<Value extends string | number>(
  all: readonly Value[],
  chosen: Value,
  said: (value: Value) => string,
): ComponentChildren {
  return all.map((value) => (
    <option key={value} value={value} selected={value === chosen}>
      {said(value)}
    </option>
  ));
}
