"""Settings are read from one table, and a mistake in them stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from api import create_app
from api.settings import PREFIX, SETTINGS, Settings, SettingsError, read, refuse_open
from knowledge import Knowledge


def test_the_defaults_are_those_of_the_table() -> None:
    chosen = read({})

    assert {setting.name: setting.default for setting in SETTINGS} == {name: getattr(chosen, name) for name in Settings.__slots__}
    assert all(setting.help for setting in SETTINGS)


def test_the_environment_is_read(tmp_path: Path) -> None:
    chosen = read(
        {"LINEWISE_MOST_DRUGS": "40", "LINEWISE_ALLOW_OPEN": "yes", "LINEWISE_KNOWLEDGE": str(tmp_path), "LINEWISE_LOG": "errors"}
    )

    assert (40, True, tmp_path, "errors") == (chosen.most_drugs, chosen.allow_open, chosen.knowledge, chosen.log)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MOST_DRUGS", "many", "whole number from 2 to 1000"),
        ("MOST_DRUGS", "1", "whole number"),
        ("MOST_BYTES", "-1", "whole number"),
        ("MOST_BYTES", "1e6", "whole number"),
        ("ALLOW_OPEN", "true", "yes or no"),
        ("ALLOW_OPEN", "", "yes or no"),
        ("KNOWLEDGE", "/nowhere/at/all", "folder that exists"),
        ("LOG", "debug", "requests, errors, nothing"),
        ("ALOW_OPEN", "no", "LINEWISE_ALLOW_OPEN"),
        ("MOST_DRUG", "3", "LINEWISE_MOST_DRUGS"),
    ],
)
def test_a_mistake_is_told_with_its_mend(variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({PREFIX + variable: value})

    assert PREFIX + variable in str(caught.value) and words in str(caught.value)


def test_names_that_the_platform_sets_are_left_alone() -> None:
    assert read({"LINEWISE_SERVICE_HOST": "10.0.0.1", "LINEWISE_PORT_8080_TCP": "x", "PATH": "/bin"}) == read({})


def test_a_setting_given_in_code_must_exist(world: Knowledge) -> None:
    with pytest.raises(SettingsError, match="most_drgs"):
        create_app({"most_drgs": 3}, knowledge=world)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8080", "127.1.2.3:80", "localhost:8080", "[::1]:8080", "::1", "127.0.0.1", "unix:/run/linewise.sock", "/run/linewise.sock"],
)
def test_this_machine_may_always_ask(address: str) -> None:
    refuse_open([address], allow_open=False)


EVERYWHERE = "0.0.0.0"  # noqa: S104  # refused is what is tested


@pytest.mark.parametrize(
    "address", [f"{EVERYWHERE}:8080", ":8080", "[::]:8080", "::", "10.0.0.5:80", "linewise.example:80", EVERYWHERE, "localhost.example:80"]
)
def test_other_machines_only_when_that_is_allowed(address: str) -> None:
    with pytest.raises(SettingsError, match="LINEWISE_ALLOW_OPEN=yes"):
        refuse_open(["127.0.0.1:1", address], allow_open=False)
    refuse_open([address], allow_open=True)
