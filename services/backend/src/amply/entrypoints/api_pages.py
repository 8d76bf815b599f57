"""`make openapi`: writes the OpenAPI document, the list of problem codes, and the site's page of them.

Run in the repository. What it writes is held equal to the code by a test, so that a review sees what clients will.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from amply.entrypoints import api_document, application, problem_catalogue


def pages() -> Mapping[str, str]:
    """All generated files by repository path."""
    document = application.without_parts().openapi()
    declared = problem_catalogue.declared(document)
    return {
        "docs/openapi.json": api_document.as_text(document),
        "docs/problems.md": problem_catalogue.markdown(declared),
        "services/widgets/pages/problems/index.html": problem_catalogue.page(declared),
    }


def main(arguments: list[str]) -> int:
    """Write them below the given directory."""
    if len(arguments) != 1:
        sys.stderr.write("Say which folder the repository is in.\n")
        return 1
    for name, text in pages().items():
        path = Path(arguments[0]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
