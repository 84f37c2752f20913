"""The document and the service say the same: every route, every field, every example."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from api import examples
from api.docs import ASSETS

HIDDEN = {"/", "/docs", "/docs/assets/{name}", "/openapi.json"}  # pages and the document itself
QUESTIONS = [pytest.param(example["value"], id=name) for name, example in examples.QUESTIONS.items()]


@pytest.fixture(scope="session")
def document(real_app: Flask) -> dict[str, Any]:
    return real_app.test_client().get("/openapi.json").get_json()


def closed(node: Any) -> Any:
    """The document with every object of an answer closed, so that a field nobody described is found."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value) for key, value in node.items()}
    if made.get("type") == "object" and isinstance(made.get("properties"), dict):
        made["additionalProperties"] = False
    return made


def assert_described(document: dict[str, Any], schema: str, answer: Any) -> None:
    """`answer` has every required field of `schema`, and no field that it does not describe."""
    shapes = closed(document["components"]["schemas"])
    validator = OAS30Validator({"$ref": f"#/components/schemas/{schema}", "components": {"schemas": shapes}})
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in validator.iter_errors(answer)]
    assert not errors, "\n".join(errors[:10])


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_is_described_and_every_description_has_its_route(real_app: Flask, document: dict[str, Any]) -> None:
    names = {"name": "id", "identity": "id"}
    routes = set()
    for rule in real_app.url_map.iter_rules():
        if rule.endpoint.startswith("pages."):
            continue  # the workbench: pages for people, described in docs/workbench.md
        path = "".join(f"{{{names.get(part, part)}}}" if dynamic else part for dynamic, part in rule._trace)
        routes |= {(path.lstrip("|"), method.lower()) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    described = {(path, method) for path, item in document["paths"].items() for method in item}

    assert {
        (path if path != "/docs/assets/{id}" else "/docs/assets/{name}", method)
        for path, method in routes
        if path not in HIDDEN and "assets" not in path
    } == described


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_example_works_when_tried(real_client: FlaskClient, document: dict[str, Any], question: dict[str, Any]) -> None:
    shown = document["paths"]["/v1/check"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert question in [example["value"] for example in shown.values()]

    response = real_client.post("/v1/check", json=question)

    assert 200 == response.status_code, response.text
    answer = response.get_json()
    assert answer["not_understood"] == [] or "xyzzymab" in question["drugs"]
    assert_described(document, "Report", answer)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (f"/v1/drugs?q={examples.SEARCH}", "Hits"),
        (f"/v1/drugs/{examples.DRUG}", "Drug"),
        (f"/v1/pairs/{examples.PAIR[0]}/{examples.PAIR[1]}", "PairPage"),
        (f"/v1/sources/{examples.SOURCE}", "SourcePage"),
        ("/v1/knowledge", "Knowledge"),
        ("/v1/drugs/lactated-ringers", "Drug"),
        ("/v1/drugs/norepinephrine", "Drug"),
        ("/v1/pairs/ceftriaxone/lactated-ringers", "PairPage"),
        ("/v1/pairs/amphotericin-b/sodium-chloride-0.9", "PairPage"),
    ],
)
def test_every_page_is_as_described(real_client: FlaskClient, document: dict[str, Any], path: str, schema: str) -> None:
    response = real_client.get(path)

    assert 200 == response.status_code, response.text
    assert_described(document, schema, response.get_json())


def test_parameter_examples_work_when_tried(real_client: FlaskClient, document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        if "get" not in item:
            continue
        query = {}
        for parameter in item["get"].get("parameters", []):
            example = parameter.get("example", parameter["schema"].get("example"))
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", example)
            elif parameter["required"]:
                query[parameter["name"]] = example
        assert 200 == real_client.get(path, query_string=query).status_code, path


@pytest.mark.parametrize("explain", [False, True])
def test_answers_about_the_world_are_as_described(client: FlaskClient, world: Any, document: dict[str, Any], explain: bool) -> None:
    drugs = [drug.id for drug in world.drugs.values() if drug.infused][:20]
    question = {"drugs": [*drugs, "nobody"], "medications": ["warfictin", "MS"], "patient": {"age_days": 3}, "explain": explain}

    assert_described(document, "Report", client.post("/v1/check", json=question).get_json())


def test_pages_of_the_world_are_as_described(client: FlaskClient, world: Any, document: dict[str, Any]) -> None:
    for drug in world.drugs:
        assert_described(document, "Drug", client.get(f"/v1/drugs/{drug}").get_json())
    for source in world.sources:
        assert_described(document, "SourcePage", client.get(f"/v1/sources/{source}").get_json())
    for a, b in world.evidence:
        assert_described(document, "PairPage", client.get(f"/v1/pairs/{a}/{b}").get_json())


def test_problems_are_as_described(client: FlaskClient, document: dict[str, Any]) -> None:
    for response in (client.post("/v1/check", json={}), client.get("/nope"), client.get("/v1/drugs/exemplapenum")):
        assert_described(document, "Problem", response.get_json())


def test_the_question_is_described_as_it_is_read(document: dict[str, Any], client: FlaskClient) -> None:
    """A question that the document allows is accepted, and one with a field that it does not know is not."""
    shapes = document["components"]["schemas"]
    validator = OAS30Validator({"$ref": "#/components/schemas/Question", "components": {"schemas": shapes}})

    for example in examples.QUESTIONS.values():
        assert validator.is_valid(example["value"])
    for wrong in (
        {"drugs": []},
        {"drugs": [1]},
        {"drugs": ["a"], "patient": {"name": "x"}},
        {"drugs": [{"drug": "a", "dose": 1}]},
        {"medications": []},
    ):
        assert not validator.is_valid(wrong)
        assert 422 == client.post("/v1/check", json=wrong).status_code


def test_every_description_is_filled(document: dict[str, Any]) -> None:
    assert all(shape.get("properties") for shape in document["components"]["schemas"].values())
    assert set(ASSETS) >= {"swagger-ui.css", "swagger-ui-bundle.js"}
