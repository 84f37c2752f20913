"""Whatever is sent is answered: no crash, no 5xx, nothing over a second. `make fuzz` sends 100,000 inputs and more; LINEWISE_FUZZ: examples of each test."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api import create_app
from checker import AskError, Names, order
from knowledge import Knowledge, KnowledgeError, load
from knowledge.load import examine

LONGEST = 1.0  # seconds
EXAMPLES = int(os.environ.get("LINEWISE_FUZZ", "120"))
WORLD = Path(__file__).parents[1] / "world" / "knowledge"
MUCH = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
NAMES = st.one_of(
    st.text(max_size=220),
    st.sampled_from(["exemplapenem", "Exemplex", "fictazolam", "samplicin", "MS", "vancomycin", "a/b", "D5W", "0.9 % NaCl"]),
    st.builds(lambda a, b: a + b, st.sampled_from(["exempla", "fict", "vanco", "\u200b", "ﬁct"]), st.text(max_size=20)),
    st.text("\u0130\u212a\u00df\ufb01\u0345 aA/-+()", max_size=60),
)
CONCENTRATIONS = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"[0-9.,eE+-]{0,25} ?(m|k|u|µ)?(g|L|Eq|mol|units?|%)?(/[0-9.e]{0,8} ?(mL|L|h|kg))?", fullmatch=True),
    st.builds(
        lambda n, u: f"{n} {u}",
        st.floats() | st.integers(),
        st.sampled_from(["mg/mL", "g/250 mL", "%", "mEq/L", "units/mL", "mmol/0 mL", "mg", "mL/mL"]),
    ),
)


ADDRESSES = [
    "/",
    "/v1/drugs/",
    "/v1/drugs?q=",
    "/v1/pairs/",
    "/v1/sources/",
    "/problems/",
    "/docs/assets/",
    "/cds-services/",
    "/?d1=exemplapenem&d2=",
    "/?d1=exemplapenem&c1=",
    "/print?d1=exemplapenem&v1=",
    "/plan?d1=exemplapenem&d2=",
    "/plan?go=1&d1=exemplapenem&r1=10+mL/h&d2=fictazolam&h2=",
    "/drug/",
    "/drugs?q=",
    "/pair/exemplapenem/",
    "/source/",
    "/explore/around/",
    "/explore/conflicts?q=",
]


@schemathesis.serializer("application/x-ndjson", "text/csv")
def _lines(_: Any, value: Any) -> bytes:
    """Rows as a batch sends them."""
    return (
        value
        if isinstance(value, bytes)
        else "\n".join(dumps(row) for row in (value if isinstance(value, list) else [value])).encode("utf-8", "surrogatepass")
    )


SENT: Counter[str] = Counter()
SLOWEST: dict[str, float] = {}


class Collector:
    """How long the garbage collector has run. What it looks through here is what the test has kept of all its inputs; the service has nothing of the kind."""

    def __init__(self) -> None:
        self.seconds = self._began = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.process_time()
        else:
            self.seconds += time.process_time() - self._began


COLLECTOR = Collector()


def timed(kind: str, work: Any) -> Any:
    """Do it, and count it. What is measured is the time that it computes, so that a busy machine changes nothing."""
    began = time.process_time() - COLLECTOR.seconds
    try:
        return work()
    finally:
        taken = time.process_time() - COLLECTOR.seconds - began
        SENT[kind] += 1
        SLOWEST[kind] = max(SLOWEST.get(kind, 0.0), taken)
        assert taken < LONGEST


@pytest.fixture(scope="module", autouse=True)
def told() -> Iterator[None]:
    """Print what was sent, and the slowest of each kind."""
    gc.callbacks.append(COLLECTOR)
    yield
    gc.callbacks.remove(COLLECTOR)
    kinds = "; ".join(f"{kind} {count:,} (slowest {SLOWEST[kind] * 1000:.0f} ms)" for kind, count in SENT.items())
    print(f"\nfuzz: {SENT.total():,} inputs. {kinds}")


@pytest.fixture(scope="module")
def app(world: Knowledge) -> Flask:
    return create_app({"log": "nothing"}, knowledge=world)


@pytest.fixture(scope="module")
def names(world: Knowledge) -> Names:
    return Names(world)


def test_any_name_is_resolved_or_not(names: Names) -> None:
    @MUCH
    @given(NAMES)
    def run(name: str) -> None:
        with suppress(AskError):
            timed("names", lambda: order({"drugs": [name]}, names))
        timed("searches", lambda: names.search(name[:200], 10))

    run()


def test_any_concentration_is_read_or_refused(names: Names) -> None:
    @MUCH
    @given(CONCENTRATIONS, NAMES)
    def run(conc: str, vehicle: str) -> None:
        with suppress(AskError):
            timed("concentrations", lambda: order({"drugs": [{"drug": "exemplapenem", "conc": conc, "vehicle": vehicle}]}, names))

    run()


def test_any_bytes_as_a_question(app: Flask) -> None:
    json = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["drugs", "drug", "conc", "patient", "age_days", "mode", "medications", "line", "start", "hours"])
                | st.text(max_size=8),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
    client = app.test_client()

    @MUCH
    @given(st.one_of(st.binary(max_size=300), json))
    def run(value: Any) -> None:
        body = value if isinstance(value, bytes) else dumps(value).encode("utf-8", "surrogatepass")
        response = timed("questions", lambda: client.post("/v1/check", data=body, content_type="application/json"))
        assert response.status_code in (200, 400, 422), response.text

    run()


def test_any_address(app: Flask) -> None:
    client = app.test_client()

    @MUCH
    @given(
        st.sampled_from(ADDRESSES),
        st.text(max_size=60),
    )
    def run(start: str, rest: str) -> None:
        address = start + quote(rest.lstrip("/"), safe="/?&=%;:@!$'()*+,", errors="surrogatepass")  # two slashes in front would name a host
        assert timed("addresses", lambda: client.get(address, headers={"Accept": "text/html"})).status_code < 500

    run()


def test_damaged_knowledge_is_refused_or_read(world: Knowledge) -> None:
    harm = st.binary(max_size=12) | st.sampled_from([b": ", b"- ", b"\n  ", b"{", b"[[", b"&a ", b"*a", b"!!x ", b"|\n"])
    files = {path.relative_to(WORLD).as_posix(): path.read_bytes() for path in sorted(WORLD.rglob("*.yaml"))}

    @settings(MUCH, max_examples=max(20, EXAMPLES // 40))
    @given(st.data())
    def run(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(files)))
        content = bytearray(files[name])
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, max(0, len(content) - 1)))
            content[at : at + data.draw(st.integers(0, 30))] = data.draw(harm)
        with suppress(KnowledgeError):
            timed("files", lambda: examine(files | {name: bytes(content)}))

    run()


def test_the_whole_contract(app: Flask) -> None:
    """schemathesis over every operation of /openapi.json: what it allows and what it does not."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    for result in schema.get_all_operations():
        operation = result.ok()
        limit = max(8, EXAMPLES // 12)

        @settings(MUCH, max_examples=limit)
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            response = timed("contract", case.call)
            assert response.status_code < 500, (case.method, case.path, response.text[:300])

        run()


def test_the_world_still_loads() -> None:
    assert load(WORLD, cache=False).drugs
