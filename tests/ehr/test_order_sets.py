"""The order sets by which the alert burden is measured: each drug stands in a source that was seen."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
import yaml

from api.fhir.freetext import FreeText
from bench.alerts import HERE, Patient, published
from checker import Names

SETS: list[dict[str, Any]] = yaml.safe_load((HERE / "order_sets.yaml").read_text(encoding="utf-8"))
ADDRESS = re.compile(r"https?://[\w.-]+/\S+")
DOI = re.compile(r"10\.\d{4,}/\S+")
COMPENDIA = ("uptodate", "micromedex", "lexi", "trissel", "stabilis", "medscape", "epocrates", "mims")


@pytest.fixture(scope="module")
def words(real_names: Names) -> FreeText:
    return FreeText(real_names)


def drugs(words: FreeText, name: str) -> tuple[str, ...]:
    return words.read(name).drugs


def given(item: dict[str, Any]) -> list[str]:
    """The texts of a set's orders, whatever their route."""
    return [order if isinstance(order, str) else order["oral"] for order in item["orders"]]


def test_there_are_enough_sets_over_the_whole_hospital() -> None:
    names = {item["id"] for item in SETS}

    assert len(SETS) == len(names) >= 30
    assert {
        "septic-shock",
        "sedation-and-analgesia",
        "folfirinox",
        "parenteral-nutrition",
        "cytomegalovirus-retinitis",
        "enhanced-recovery-anaesthesia",
        "neonatal-sepsis",
    } <= names
    assert all(2 <= len(item["orders"]) for item in SETS)


@pytest.mark.parametrize("item", SETS, ids=lambda item: item["id"])
def test_a_set_says_what_was_read_where(item: dict[str, Any]) -> None:
    assert item["sources"]
    for source in item["sources"]:
        assert set(source) <= {"title", "year", "pmid", "doi", "address", "at", "read", "seen", "names"}
        assert source["title"] and source["at"] and source["names"]
        assert ADDRESS.fullmatch(source["address"])
        assert isinstance(source.get("pmid", 1), int)
        assert DOI.fullmatch(source.get("doi", "10.1000/1"))
        assert source["read"] in ("abstract", "page")
        assert isinstance(source["seen"], date)
        assert 1950 <= source.get("year", 2000) <= source["seen"].year
        assert not any(word in f"{source['title']} {source['address']}".casefold() for word in COMPENDIA)


@pytest.mark.parametrize("item", SETS, ids=lambda item: item["id"])
def test_a_source_names_every_drug_of_a_set(item: dict[str, Any], words: FreeText) -> None:
    named = {drug for source in item["sources"] for name in source["names"] for drug in drugs(words, name)}
    ordered = [drugs(words, order) for order in given(item)]

    assert all(1 == len(found) for found in ordered), "each order is one drug, by a name that is known"
    assert {drug for found in ordered for drug in found} == named


@pytest.mark.parametrize("item", SETS, ids=lambda item: item["id"])
def test_a_fluid_that_an_order_names_is_understood(item: dict[str, Any], words: FreeText) -> None:
    for order in given(item):
        said = words.read(order)
        assert bool(said.vehicle) == bool(re.search(r" in (?!1\b)", order)), order
        assert not said.candidates and not said.clash, order


def test_the_benchmark_reads_every_set() -> None:
    patients: list[Patient] = list(published())

    assert [item["id"] for item in SETS] == [patient.name for patient in patients]
    assert sum(len(item["orders"]) for item in SETS) == sum(len(patient.orders) for patient in patients)
