"""The page at /docs: signs in with a second factor too, and loads nothing from elsewhere."""

from __future__ import annotations

import re

from chalicelib.docs_page import page


def test_the_sign_in_has_a_field_for_the_second_factor() -> None:
    [field] = re.findall(r'<input name="totp_code"[^>]*>', page.html())
    assert "required" not in field
    assert "totp_code = code.value.trim()" in page.html()


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert "//" not in re.sub(r"(?m)^// .*$", "", page.html())
    assert "default-src 'none'" in page.security_policy()
