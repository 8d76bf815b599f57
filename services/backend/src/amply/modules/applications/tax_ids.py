"""Formats of registration and tax numbers by country.

Check digits are python-stdnum's. A number that fits may still be made up, or somebody else's: a register may be asked
(`ports.Register`), and staff decide.
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stdnum.exceptions import ValidationError

from amply.kernel.errors import InvalidRequest

_ANYWHERE: Final = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{2,28}[A-Z0-9]")


class TaxIdNotAcceptable(InvalidRequest):
    """No number of the organisation's country looks like this."""

    code = "tax_id_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class TaxId:
    """A normalised number. `form`: its kind within the country; None for countries without known formats."""

    number: str
    form: str | None


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A format of numbers. `module` is python-stdnum's; `pattern` where it has none, with its source."""

    name: str
    module: str = ""
    pattern: str = ""


FORMS: Final[Mapping[str, tuple[_Form, ...]]] = {
    "AT": (_Form(name="UID", module="at.uid"), _Form(name="ZVR-Zahl", pattern=r"\d{9,10}")),
    "AU": (_Form(name="ABN", module="au.abn"),),
    "BE": (_Form(name="ondernemingsnummer", module="be.vat"),),
    "BG": (_Form(name="EIK", module="bg.vat"),),
    "BR": (_Form(name="CNPJ", module="br.cnpj"),),
    "CA": (
        _Form(name="business number", module="ca.bn"),
        # canada.ca, "Charities listings": the number that receipts carry, which python-stdnum does not know.
        _Form(name="charity registration number", pattern=r"\d{9}RR\d{4}"),
    ),
    "CH": (_Form(name="UID", module="ch.uid"),),
    "CZ": (_Form(name="DIČ", module="cz.dic"),),
    "DE": (_Form(name="USt-IdNr.", module="de.vat"), _Form(name="Steuernummer", module="de.stnr")),
    "DK": (_Form(name="CVR", module="dk.cvr"),),
    "EE": (_Form(name="registrikood", module="ee.registrikood"),),
    "ES": (_Form(name="NIF", module="es.nif"),),
    "FI": (_Form(name="Y-tunnus", module="fi.ytunnus"),),
    "FR": (
        _Form(name="SIREN", module="fr.siren"),
        _Form(name="SIRET", module="fr.siret"),
        # Décret du 16 août 1901, art. 5: W, the prefecture's code and six digits.
        _Form(name="RNA", pattern=r"W\d[0-9A-B]\d{7}"),
    ),
    "GB": (
        _Form(name="UTR", module="gb.utr"),
        # gov.uk/find-charity-information, oscr.org.uk, charitycommissionni.org.uk: registers' own numbers.
        _Form(name="charity number", pattern=r"\d{6,7}|SC\d{6}|NIC\d{6}"),
    ),
    "IE": (
        _Form(name="VAT", module="ie.vat"),
        # charitiesregulator.ie: registered charity number, and Revenue's CHY.
        _Form(name="RCN", pattern=r"20\d{6}"),
        _Form(name="CHY", pattern=r"CHY\d{3,5}"),
    ),
    "IT": (
        _Form(name="partita IVA", module="it.iva"),
        _Form(name="codice fiscale", module="it.codicefiscale"),
    ),
    "JP": (_Form(name="corporate number", module="jp.cn"),),
    "LU": (_Form(name="TVA", module="lu.tva"),),
    "MX": (_Form(name="RFC", module="mx.rfc"),),
    "NL": (_Form(name="btw", module="nl.btw"), _Form(name="RSIN", module="nl.bsn")),
    "NO": (_Form(name="organisasjonsnummer", module="no.orgnr"),),
    "NZ": (_Form(name="IRD", module="nz.ird"), _Form(name="charities registration", pattern=r"CC\d{5}")),
    "PL": (_Form(name="NIP", module="pl.nip"),),
    "PT": (_Form(name="NIF", module="pt.nif"),),
    "SE": (_Form(name="organisationsnummer", module="se.orgnr"),),
    "SG": (_Form(name="UEN", module="sg.uen"),),
    "US": (_Form(name="EIN", module="us.ein"),),
}
"""By ISO 3166-1 alpha-2. In other countries any 4 to 30 letters and digits are accepted, and staff check."""


def tax_id_of(text: str, *, country: str) -> TaxId:
    """Parse and normalise a number.

    Raises:
        TaxIdNotAcceptable: None of its country's looks like this, or its check digit is wrong.
    """
    typed = " ".join(text.upper().split())
    forms = FORMS.get(country)
    if forms is None:
        if not _ANYWHERE.fullmatch(typed):
            raise TaxIdNotAcceptable("Write the number of 4 to 30 letters and digits.", param="tax_id")
        return TaxId(number=typed, form=None)
    for form in forms:
        number = _read(form, typed)
        if number is not None:
            return TaxId(number=number, form=form.name)
    names = " or ".join(form.name for form in forms)
    raise TaxIdNotAcceptable(
        f"Check the number: in {country} it is a {names}, with its check digit.", param="tax_id"
    )


def _read(form: _Form, typed: str) -> str | None:
    if form.pattern:
        bare = re.sub(r"[ ./-]", "", typed)
        return bare if re.fullmatch(form.pattern, bare) else None
    known: Any = importlib.import_module(f"stdnum.{form.module}")
    try:
        return str(known.validate(typed))
    except ValidationError:
        return None
