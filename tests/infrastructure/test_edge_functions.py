"""What CloudFront runs at every request, run here by Node."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.edge_functions import HERE, VERSIONS, newest_versions, versions_code
from stacks.edge_policies import SITE_HEADERS
from tests.infrastructure.assembly import Deployed

NEWEST = {"1": "1.2.3", "1.2": "1.2.3", "1.1": "1.1.9"}
FUNCTION_BYTES_MAX = 10 * 1024
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-function-restrictions.html"""


def _run(code: str, event: Mapping[str, Any]) -> Any:
    script = f"{code}; console.log(JSON.stringify(handler(JSON.parse(process.argv[1]))));"
    done = subprocess.run(
        ["node", "-e", script, json.dumps(event)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _request(uri: str, *, host: str = "amply.example", **query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"request": {"uri": uri, "headers": {"host": {"value": host}}, "querystring": query}}


def _page(uri: str, *, host: str = "amply.example", **query: Mapping[str, Any]) -> Any:
    return _run((HERE / "edge_pages.js").read_text(), _request(uri, host=host, **query))


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/v1/amply-button.js", "/v1.2.3/amply-button.js"),
        ("/v1.2/amply-button.js", "/v1.2.3/amply-button.js"),
        ("/v1.1/manifest.json", "/v1.1.9/manifest.json"),
        ("/v2/amply-button.js", "/v2/amply-button.js"),
        ("/v1.2.2/amply-button.js", "/v1.2.2/amply-button.js"),
    ],
)
def test_a_moving_version_is_answered_with_the_newest_of_its_own(asked: str, answered: str) -> None:
    assert _run(versions_code(NEWEST), _request(asked))["uri"] == answered


def test_a_rollback_is_another_list_and_nothing_else() -> None:
    back = {**NEWEST, "1": "1.1.9"}
    assert _run(versions_code(back), _request("/v1/amply-button.js"))["uri"] == "/v1.1.9/amply-button.js"


def test_what_is_deployed_holds_the_widgets_own_list(deployed: Deployed) -> None:
    (code,) = (
        function.properties["FunctionCode"]
        for function in deployed.resources("AWS::CloudFront::Function")
        if function.logical_id.startswith("NewestVersions")
    )
    for name, version in newest_versions().items():
        assert _run(code, _request(f"/v{name}/x.js"))["uri"] == f"/v{version}/x.js"


def test_the_list_names_only_versions_that_are_published() -> None:
    versions = json.loads(VERSIONS.read_text())
    assert set(versions["newest"].values()) <= set(versions["published"])


def test_exact_versions_are_matched_before_moving_ones(deployed: Deployed) -> None:
    behaviors = deployed.the("AWS::CloudFront::Distribution").properties["DistributionConfig"][
        "CacheBehaviors"
    ]
    versions = [behavior for behavior in behaviors if behavior["PathPattern"].startswith("/v")]
    events = [behavior["FunctionAssociations"][0]["EventType"] for behavior in versions]

    assert [behavior["PathPattern"] for behavior in versions] == ["/v?.*.*/*", "/v?.*/*", "/v?/*"]
    assert events == ["viewer-response", "viewer-request", "viewer-request"]


def test_what_never_changes_is_kept_as_long_as_the_sites_own_headers_say() -> None:
    answered = _run(
        (HERE / "edge_immutable.js").read_text(), {"response": {"statusCode": 200, "headers": {}}}
    )
    kept = json.loads(SITE_HEADERS.read_text())["assets"]["Cache-Control"]
    assert answered["headers"]["cache-control"]["value"] == kept


def test_no_header_policy_lets_a_browser_keep_a_missing_page_for_a_year(deployed: Deployed) -> None:
    for policy in deployed.resources("AWS::CloudFront::ResponseHeadersPolicy"):
        assert "immutable" not in json.dumps(policy.properties), policy.where


@pytest.mark.parametrize("beside", ["www", "widgets", "log"])
def test_pages_stand_on_one_host_and_the_others_lead_there(beside: str) -> None:
    found = _page(
        "/donate/",
        host=f"{beside}.amply.example",
        org={"value": "org_1"},
        tag={"value": "a%20b", "multiValue": [{"value": "a%20b"}, {"value": "c"}]},
        bare={"value": ""},
    )
    location = found["headers"]["location"]["value"]
    assert found["statusCode"] == 301
    assert location == "https://amply.example/donate/?org=org_1&tag=a%20b&tag=c&bare"


def test_a_folder_means_its_page_and_keeps_its_question() -> None:
    assert _page("/demo/")["uri"] == "/demo/index.html"
    assert _page("/demo", org={"value": "org_1"})["headers"]["location"]["value"] == "/demo/?org=org_1"
    assert _page("/config.json")["uri"] == "/config.json"
    assert _page("/policy.txt")["uri"] == "/policy.txt"


@pytest.mark.parametrize(
    "beginning",
    ["//", "///", "/\\", "\\\\", "/%2F", "/%2f%2f", "%2F%2F", "/%5C", "/\\%5c/", "/\t/", "/%09/", "/%0d%0a/"],
)
def test_no_address_leads_to_somebody_elses_host(beginning: str) -> None:
    """A browser reads `//evil.example/`, with slashes of either kind, as another host's address."""
    found = _page(f"{beginning}evil.example/pay", org={"value": "org_1"})
    assert found["headers"]["location"]["value"] == "/evil.example/pay/?org=org_1"


def test_the_names_beside_lead_to_the_one_host_whatever_the_address_is() -> None:
    found = _page("@evil.example/pay", host="www.amply.example")
    assert found["headers"]["location"]["value"] == "https://amply.example/@evil.example/pay"


def test_a_function_fits_into_what_cloudfront_takes(deployed: Deployed) -> None:
    for function in deployed.resources("AWS::CloudFront::Function"):
        assert len(function.properties["FunctionCode"].encode()) <= FUNCTION_BYTES_MAX, function.where


def test_every_function_is_a_file_here() -> None:
    assert {file.name for file in Path(HERE).glob("*.js")} == {
        "edge_pages.js",
        "edge_versions.js",
        "edge_immutable.js",
    }
