"""Files of what is an organisation's own: asked for over the API, made by the worker, fetched by a link of minutes."""

from amply.modules.exports.domain import KEPT
from amply.modules.exports.making import Making, make_exports
from amply.modules.exports.ports import ExportStore
from amply.modules.exports.router import router
from amply.modules.exports.service import FACT_ASKED, withdraw

__all__ = ["FACT_ASKED", "KEPT", "ExportStore", "Making", "make_exports", "router", "withdraw"]
