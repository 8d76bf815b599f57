"""The edge against a stand-in for the emulated cloud that answers what it was asked."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from local_cloud.edge import Edge


def answer(request: httpx2.Request) -> httpx2.Response:
    if request.url.path == "/broken":
        raise httpx2.ConnectError("refused")
    if request.url.path == "/demo":
        return httpx2.Response(301, headers={"location": "/demo/"})
    if request.headers.get("if-none-match") == '"tag"':
        return httpx2.Response(304, headers={"etag": '"tag"'})
    said = {
        "x-asked-host": request.headers["host"],
        "x-asked-proto": request.headers["x-forwarded-proto"],
        "x-asked-target": request.url.raw_path.decode(),
        "etag": '"tag"',
        "connection": "close",
    }
    return httpx2.Response(200, headers=said, content=b"" if request.method == "HEAD" else b"page")


@pytest.fixture
def client() -> TestClient:
    upstream = httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://cloud")
    edge = Edge(upstream, "d123.cloudfront.net")
    route = Route("/{path:path}", edge.serve, methods=["GET", "HEAD", "OPTIONS"])
    return TestClient(Starlette(routes=[route]), follow_redirects=False)


def test_a_request_goes_to_the_distribution_as_if_over_tls(client: TestClient) -> None:
    page = client.get("/assets/a%20b.js?v=1%2F2")
    assert page.content == b"page"
    assert page.headers["x-asked-host"] == "d123.cloudfront.net"
    assert page.headers["x-asked-proto"] == "https"
    assert page.headers["x-asked-target"] == "/assets/a%20b.js?v=1%2F2"


def test_an_address_is_asked_for_as_it_came_however_it_begins(client: TestClient) -> None:
    """What the deployed functions make of it is seen here, too."""
    for path in ("//evil.example/pay", "/%2Fevil.example/pay", "//127.0.0.1:1/?a=b"):
        assert client.get(f"http://testserver{path}").headers["x-asked-target"] == path


def test_headers_of_the_connection_stay_on_it(client: TestClient) -> None:
    assert "connection" not in client.get("/").headers


def test_what_is_unchanged_is_not_sent_again(client: TestClient) -> None:
    unchanged = client.get("/", headers={"If-None-Match": '"tag"'})
    assert unchanged.status_code == 304
    assert unchanged.headers["etag"] == '"tag"'


def test_a_redirect_is_the_viewers_to_follow(client: TestClient) -> None:
    assert client.get("/demo").headers["location"] == "/demo/"


def test_methods_that_the_edge_never_serves_are_refused(client: TestClient) -> None:
    assert client.post("/").status_code == 405


def test_a_cloud_that_does_not_answer_is_a_bad_gateway(client: TestClient) -> None:
    broken = client.get("/broken")
    assert broken.status_code == 502
    assert "does not answer" in broken.text
