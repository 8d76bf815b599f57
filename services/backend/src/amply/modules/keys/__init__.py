"""API keys: how an organisation's programs are known. Import from here only."""

from amply.modules.keys.callers import KeyCallers
from amply.modules.keys.domain import PATTERN, KeyNotFound
from amply.modules.keys.router import router
from amply.modules.keys.schemas import KeyMade
from amply.modules.keys.service import make

__all__ = ["PATTERN", "KeyCallers", "KeyMade", "KeyNotFound", "make", "router"]
