"""Which sites donors may be sent back to."""

import pytest

from amply.modules.organizations.return_origins import ReturnOriginNotAcceptable, origin_of


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://charity.example", "https://charity.example"),
        (" HTTPS://Charity.Example/ ", "https://charity.example"),
        ("https://give.charity.example:8443", "https://give.charity.example:8443"),
        ("https://charity.example:443", "https://charity.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, origin: str) -> None:
    assert origin_of(written) == origin


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "charity.example",
            "https://",
            "https://charity",
            "http://charity.example",
            "ftp://charity.example",
        ),
        *("https://charity.example/thanks", "https://charity.example?x", "https://charity.example#x"),
        *(
            "https://user@charity.example",
            "https://charity.example@evil.example",
            "https://charity.example\\@evil",
        ),
        *(
            "https://*.charity.example",
            "https://-x.example",
            "https://charity..example",
            "https://büch.example",
        ),
        *("javascript:alert(1)", "https://charity.example:0", "http://localhost.evil.example"),
        "https://" + "a." * 130 + "example",
    ],
)
def test_what_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(ReturnOriginNotAcceptable, match="Write the site's origin"):
        origin_of(written)
