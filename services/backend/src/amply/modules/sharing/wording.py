"""Consent wordings, verbatim. A wording that was agreed to never changes: a new one gets a new name."""

from collections.abc import Mapping
from typing import Final

from amply.modules.sharing.domain import Purpose

NEWEST: Final = "1"

DONATION_PAGE: Final[Mapping[str, Mapping[Purpose, Mapping[str, str]]]] = {
    "1": {
        Purpose.ANALYTICS: {
            "en": (
                "Share facts of this gift for statistics: to whom, how much, when and for what, under a number instead of my "
                "name. Researchers and others get them only where at least 20 people are alike. I can take this back on the "
                "page of my gifts."
            ),
            "de": (
                "Angaben zu dieser Spende für Statistik teilen: an wen, wie viel, wann und wofür, unter einer Nummer statt "
                "meines Namens. Forschung und andere erhalten sie nur, wo mindestens 20 Menschen gleich aussehen. Auf der "
                "Seite meiner Spenden kann ich das zurücknehmen."
            ),
            "fr": (
                "Partager des faits de ce don pour des statistiques\u00a0: à qui, combien, quand et pour quoi, sous un numéro au "
                "lieu de mon nom. Chercheurs et autres ne les reçoivent que là où au moins 20 personnes se ressemblent. Je peux "
                "revenir là-dessus sur la page de mes dons."
            ),
        }
    }
}
"""Consent for one gift, by wording, purpose and language."""

OWN_PAGE: Final[Mapping[str, Mapping[Purpose, Mapping[str, str]]]] = {
    "1": {
        Purpose.ANALYTICS: {
            "en": (
                "Facts of all your gifts, those so far and those to come, can serve statistics: to whom, how much, when and for "
                "what, under a number instead of your name. Researchers and others get them only where at least 20 people are "
                "alike. Once you take it back, the next release is made without you."
            ),
            "de": (
                "Angaben zu allen Ihren Spenden, bisherigen und künftigen, können der Statistik dienen: an wen, wie viel, wann "
                "und wofür, unter einer Nummer statt Ihres Namens. Forschung und andere erhalten sie nur, wo mindestens 20 "
                "Menschen gleich aussehen. Nehmen Sie es zurück, so entsteht die nächste Veröffentlichung ohne Sie."
            ),
            "fr": (
                "Des faits de tous vos dons, passés et à venir, peuvent servir à des statistiques\u00a0: à qui, combien, quand et pour "
                "quoi, sous un numéro au lieu de votre nom. Chercheurs et autres ne les reçoivent que là où au moins 20 personnes "
                "se ressemblent. Si vous revenez là-dessus, la prochaine publication se fait sans vous."
            ),
        }
    }
}
"""Consent for all gifts, on the donor page."""
