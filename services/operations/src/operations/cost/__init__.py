"""Estimates an environment's monthly cost from its templates, a dated price table and stated assumptions.

`python -m operations.cost` prints it, `docs/cost.md` is its output. Nothing is guessed: see `errors`.
"""

from operations.cost.errors import CostError
from operations.cost.estimate import Estimate, Line, estimate

__all__ = ["CostError", "Estimate", "Line", "estimate"]
