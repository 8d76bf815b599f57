"""`python -m amply_canary`: one run from this machine, with the canary's variables; exits 1 on failure."""

import sys

from amply_canary.checks import Unwell
from amply_canary.handler import handler

try:
    handler(None, None)
except Unwell as found:
    sys.exit(str(found))
