"""What the page reads from a form is what the API keeps of it: otherwise one's own words come back as somebody else's."""

from amply.modules.organizations.return_origins import acceptable_origins
from amply.modules.organizations.text_rules import line_of, text_of
from tests.browser.pages_code import run_in_node

_LINE = "  Cafe\u0301\u00a0: a dry\t roof\u2003for \x85 a\u00adll\u2028 "
_TEXT = " \r\n The old\u3000one leaks\u202f! \r\n\r\n  For  years \u2003\u00a0\nand\ttoday\x85 here\x0b\u2029there\x1c \n "


def test_texts_are_read_as_the_api_keeps_them() -> None:
    script = """([tagline, about]) => {
        const form = new FormData();
        form.set("p-tagline-en", tagline);
        form.set("p-about-en", about);
        return module.textsIn(form, {}, "p-").en;
    }"""
    said = run_in_node(("src/organization/texts_draft.ts",), script, [_LINE, _TEXT])
    assert said == {"tagline": line_of(_LINE, param="tagline"), "about": text_of(_TEXT, param="about")}
    assert said["tagline"] == "Café\u00a0: a dry roof for all"


def test_sites_to_go_back_to_are_read_as_the_api_keeps_them() -> None:
    written = [
        "https://River.example/",
        "https://river.example:443",
        "https://sea.example:8443/",
        "http://localhost:80",
        "http://127.0.0.1:8080",
    ]
    script = """(written) => {
        const form = new FormData();
        form.set("return-origins", written.join("\\n"));
        return module.saidIn(form, { texts: {} }).returnOrigins;
    }"""
    said = run_in_node(("src/organization/profile_draft.ts",), script, written)
    assert said == acceptable_origins(written)
    assert len(said) == 4
