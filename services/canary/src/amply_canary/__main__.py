"""`python -m amply_canary`: one look from this machine, with the canary's own variables; exits 1 when something is wrong."""

import sys

from amply_canary.checks import Unwell
from amply_canary.handler import handler

try:
    handler(None, None)
except Unwell as found:
    sys.exit(str(found))
