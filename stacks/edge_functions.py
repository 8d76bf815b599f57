"""CloudFront Functions: index documents, versioned paths, and browser cache lifetimes."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

HERE = Path(__file__).parent
VERSIONS = HERE.parent / "services" / "widgets" / "versions.json"
NEWEST_GOES_HERE = "{} /* newest */"


def newest_versions() -> Mapping[str, str]:
    """Versions that `1` and `1.2` stand for, from the widgets' list."""
    newest: dict[str, str] = json.loads(VERSIONS.read_text())["newest"]
    return newest


def versions_code(newest: Mapping[str, str]) -> str:
    """The function's source with the list embedded."""
    template = (HERE / "edge_versions.js").read_text()
    return template.replace(NEWEST_GOES_HERE, json.dumps(dict(newest), sort_keys=True))


class EdgeFunctions:
    """The distribution's CloudFront Functions, created in `scope` itself."""

    def __init__(self, scope: Construct) -> None:
        from_file, from_text = cloudfront.FunctionCode.from_file, cloudfront.FunctionCode.from_inline
        self.pages = _function(
            scope,
            "IndexPages",
            comment="Folders mean their index.html, and pages stand on one host",
            code=from_file(file_path=str(HERE / "edge_pages.js")),
        )
        self.newest = _function(
            scope,
            "NewestVersions",
            comment="/v1/ and /v1.2/ mean the newest version of theirs",
            code=from_text(versions_code(newest_versions())),
        )
        self.immutable = _function(
            scope,
            "Immutable",
            comment="What is there stays as it is; what is missing may come",
            code=from_file(file_path=str(HERE / "edge_immutable.js")),
        )


def _function(
    scope: Construct, construct_id: str, *, comment: str, code: cloudfront.FunctionCode
) -> cloudfront.Function:
    return cloudfront.Function(
        scope, construct_id, comment=comment, code=code, runtime=cloudfront.FunctionRuntime.JS_2_0
    )
