"""An independent buyer program, run by `.venv-peers`: pandas and the public Delta Sharing client, with a profile file alone.

    python stranger.py PROFILE SHARE.SCHEMA.TABLE

Answers one line of JSON: how many rows and which columns were read, and the first of them; or the status of the refusal.
"""

import json
import sys

# Installed in .venv-peers alone, where the types of the rest are not looked for.
import delta_sharing  # type: ignore[import-not-found]  # only in .venv-peers
from requests import HTTPError  # the client's own


def read(profile: str, table: str) -> dict[str, object]:
    try:
        frame = delta_sharing.load_as_pandas(f"{profile}#{table}")
    except HTTPError as refused:
        return {"refused": refused.response.status_code if refused.response is not None else None}
    first = [dict(zip(frame.columns, map(str, row), strict=True)) for row in frame.head(3).values.tolist()]
    return {"rows": len(frame), "columns": list(frame.columns), "first": first}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(sys.argv[1], sys.argv[2])) + "\n")
