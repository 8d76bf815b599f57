"""Run in `.venv-peers`: reads data with the public Delta Sharing client and a profile file.

Answers one line of JSON: every table by its whole name with its columns and rows, or which status it was refused with.
"""

import json
import sys

# Installed in .venv-peers alone, where the types of the rest are not looked for.
import delta_sharing  # type: ignore[import-not-found]  # only in .venv-peers
from requests import HTTPError  # the client's own


def found(profile: str) -> dict[str, object]:
    client = delta_sharing.SharingClient(profile)
    tables = {}
    for table in client.list_all_tables():
        url = f"{profile}#{table.share}.{table.schema}.{table.name}"
        frame = delta_sharing.load_as_pandas(url)
        tables[table.name] = {
            "version": delta_sharing.get_table_version(url),
            "columns": {name: str(kind) for name, kind in frame.dtypes.items()},
            "rows": frame.values.tolist(),
            "first": len(delta_sharing.load_as_pandas(url, limit=1)),
        }
    return {"shares": [share.name for share in client.list_shares()], "tables": tables}


def main() -> None:
    try:
        answer = found(sys.argv[1])
    except HTTPError as refused:
        answer = {"refused": refused.response.status_code if refused.response is not None else None}
    print(json.dumps(answer))  # noqa: T201 -- the answer


main()
