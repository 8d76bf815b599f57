import { useMemo } from "preact/hooks";

import { FormField } from "./field";
import { Choice, type OptionsProps, typed } from "./gift_options";
import { useSpeech } from "./language";

/** ISO 3166-1 alpha-2: where somebody can live. */
const COUNTRIES =
  "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM " +
  "CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW " +
  "GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD " +
  "ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT " +
  "PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA " +
  "UG US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/** Where the donor lives, asked where an official receipt names it; left empty, the gift is acknowledged only, as the group says. */
export function AddressFields(props: OptionsProps) {
  const speech = useSpeech();
  const { t, language } = speech;
  const { options, onOptions } = props;
  const text = typed(props, speech);
  const countries = useMemo(() => named(language), [language]);
  return (
    <fieldset class="group" aria-describedby="address-hint">
      <legend>{t.address}</legend>
      <p class="hint" id="address-hint">
        {t.addressWhy}
      </p>
      <FormField {...text("street", 200)} label={t.street} autocomplete="address-line1" />
      <FormField {...text("city", 200)} label={t.city} autocomplete="address-level2" />
      <FormField {...text("region", 200)} label={t.region} autocomplete="address-level1" />
      <FormField {...text("postalCode", 20)} label={t.postalCode} autocomplete="postal-code" />
      <Choice
        id="country"
        label={t.country}
        value={options.country}
        autocomplete="country"
        onChange={(event) => onOptions({ ...options, country: event.currentTarget.value })}
      >
        {countries.map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </Choice>
    </fieldset>
  );
}

function named(language: string): readonly (readonly [string, string])[] {
  const names = new Intl.DisplayNames(language, { type: "region" });
  const { compare } = new Intl.Collator(language);
  return COUNTRIES.split(" ")
    .map((code) => [code, names.of(code) ?? code] as const)
    .sort(([, one], [, other]) => compare(one, other));
}
