"""Run in the peers' environment: measures k, l and t of a table by pycanon. Reads and writes JSON."""

import json
import sys

import pandas as pd
from pycanon import anonymity

asked = json.load(sys.stdin)
table = pd.DataFrame(asked["rows"])
quasi, sensitive = asked["quasi"], asked["sensitive"]
json.dump(
    {
        "k": int(anonymity.k_anonymity(table, quasi)),
        "l": int(anonymity.l_diversity(table, quasi, sensitive)),
        "t": float(anonymity.t_closeness(table, quasi, sensitive)),
    },
    sys.stdout,
)
