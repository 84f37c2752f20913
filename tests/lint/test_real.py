"""The knowledge that ships has no lint error."""

from __future__ import annotations

from knowledge.lint import Level, lint


def test_no_error_in_the_real_knowledge() -> None:
    assert [] == [str(finding) for finding in lint() if finding.level is Level.ERROR]
