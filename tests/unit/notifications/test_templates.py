"""Templates: text and HTML say the same, and no value breaks out of its place."""

from __future__ import annotations

import re
from string import Template

import pytest

from chalicelib.notifications.templates import TEMPLATES, render

NEEDED = {
    (name, language): sorted(set(Template(f"{text.subject}\n{text.body}").get_identifiers()))
    for name, texts in TEMPLATES.items()
    for language, text in texts.items()
}


def _filled(name: str, value: str = "a value") -> dict[str, str]:
    return dict.fromkeys(NEEDED[(name, "en")], value)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_shows_all_it_is_given(name: str) -> None:
    data = {field: f"<{field} & co>" for field in NEEDED[(name, "en")]}
    message = render(name, data)
    shown = f"{message.subject}\n{message.text}"
    for field, value in data.items():
        assert value in shown, field
        assert value not in message.html
    assert "$" not in shown + message.html
    assert "\n" not in message.subject


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_language_needs_the_same_values(name: str) -> None:
    assert len({tuple(NEEDED[(name, language)]) for language in TEMPLATES[name]}) == 1


@pytest.mark.parametrize("name", [name for name in TEMPLATES if NEEDED[(name, "en")]])
def test_a_missing_value_is_found_before_anything_is_sent(name: str) -> None:
    data = _filled(name)
    data.popitem()
    with pytest.raises(KeyError):
        render(name, data)


def test_the_html_is_the_text_escaped() -> None:
    message = render("receipt", _filled("receipt", "<b>&\"'"))
    bare = re.sub(r"<[^>]+>", " ", message.html.replace("<br>", "\n").replace("</p><p>", "\n\n"))
    assert "&lt;b&gt;&amp;&quot;&#x27;" in bare
    assert "<b>" not in message.html


@pytest.mark.parametrize("value", ["CP1\r\nBcc: x@example.com", "CP1\u2028x", "CP1\nx", "CP1\x85x"])
def test_a_line_break_in_a_value_makes_no_header(value: str) -> None:
    subject = render("charger_offline", _filled("charger_offline") | {"charger": value}).subject
    assert len(subject.splitlines()) == 1
    assert "\x00" not in subject


def test_several_lines_stay_several_lines_in_the_body() -> None:
    message = render("statement_ready", {"business_day": "2026-03-02", "lines": "3 sessions\n4 sessions"})
    assert "3 sessions\n4 sessions" in message.text
    assert "3 sessions<br>4 sessions" in message.html


def test_a_line_with_nothing_to_tell_is_left_out() -> None:
    message = render("receipt", _filled("receipt") | {"refunded": ""})
    assert "Refunded" not in message.text + message.html
    assert "Cost: a value" in message.text


def test_a_language_we_do_not_have_is_english() -> None:
    assert render("verification_code", {"code": "123456"}, "xx") == render("verification_code", {"code": "123456"})


def test_values_are_not_templates() -> None:
    assert "$code ${x}" in render("verification_code", {"code": "$code ${x}"}).text
