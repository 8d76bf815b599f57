"""Parameters of RDS operations that belong to other engines, from the SDK's service description."""

import re
from functools import cache
from html import unescape
from typing import Final

from botocore import xform_name
from botocore.session import get_session

_FOR_OTHERS: Final = re.compile(
    r"(?:applies to|applies only to|only applies to|only supported for|supported only for|supported only by) "
    r"(?:RDS for )?(?:Aurora|Db2|MariaDB|Microsoft SQL Server|MySQL|Oracle|SQL Server)\b[^.]*",
    re.IGNORECASE,
)


@cache
def for_other_engines(operation: str) -> frozenset[str]:
    """Parameters of an operation (`RestoreDBInstanceToPointInTime`) that RDS takes for no PostgreSQL instance."""
    shape = get_session().get_service_model("rds").operation_model(operation).input_shape
    members = shape.members if shape else {}
    return frozenset(name for name, member in members.items() if _is_for_others(member.documentation))


def for_other_engines_typed(operation: str) -> frozenset[str]:
    """The same as the command line spells them, for `restore-db-instance-to-point-in-time`."""
    names = get_session().get_service_model("rds").operation_names
    (called,) = (name for name in names if xform_name(name, "-") == operation)
    return frozenset(f"--{xform_name(name, '-')}" for name in for_other_engines(called))


def _is_for_others(documentation: str) -> bool:
    plain = " ".join(unescape(re.sub(r"<[^>]+>", " ", documentation)).split())
    return any("PostgreSQL" not in found[0] for found in _FOR_OTHERS.finditer(plain))
