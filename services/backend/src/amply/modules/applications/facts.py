"""Facts that an application must state before staff review it."""

from collections.abc import Mapping

from amply.modules.applications.models import ApplicationRow


def missing_facts(row: ApplicationRow) -> list[str]:
    """Required facts that the organisation has not stated yet, by API field name."""
    said: Mapping[str, object] = {
        "kind": row.kind,
        "tax_id": row.tax_id,
        "address": row.street and row.postal_code and row.city,
        "website": row.website,
        "purpose": row.purpose,
        "sdgs": row.sdgs,
    }
    return [name for name, value in said.items() if not value]
