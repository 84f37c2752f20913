"""The OpenAPI document, made from the marshmallow schemas that the service uses.

apispec with its marshmallow plugin: kept by the marshmallow team, it only describes. flask-smorest and APIFlask would
also read bodies and dump answers through the schemas, which costs more than the engine itself and would give errors a
second shape; answers here are bytes from the renderer, and the tests hold them to this document.
"""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema
from marshmallow.fields import Field

from api import examples, openapi_ehr
from api.problems import KINDS, MEDIA_TYPE
from api.schemas import BatchQuery, DrugsQuery, ProblemSchema, ReportSchema
from api.schemas_known import DrugSchema, FeedbackSummarySchema, HitsSchema, KnowledgeSchema, PairPageSchema, SourcePageSchema
from checker.ask import CodeSchema, Item, Named, QuestionSchema
from checker.plan_schema import PlanSchema

VERSION = "1.0.0"
Json = dict[str, Any]
_HEADERS = {
    "Linewise-Knowledge": "version and digest of the knowledge that answered",
    "X-Request-Id": "id of this exchange; a sane one that was sent is kept",
}


def document(most_drugs: int, most_bytes: int, knowledge: str) -> Json:
    """The whole document. knowledge: version in force, told in the description."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="Linewise",
        version=VERSION,
        openapi_version="3.0.3",
        plugins=[plugin],
        info={
            "description": (
                "May these drugs share this line, and should this patient get them together? Condition-aware answers with their sources. "
                "Decision support, to be checked by a professional. No data is never compatible, and nothing asked is dropped.\n\n"
                f"Limits here: {most_drugs} drugs in one question, {most_bytes} bytes in one body. Knowledge in force: {knowledge}."
            ),
            "license": {"name": "see LICENSE"},
        },
        security=[{}, {"key": []}],
    )
    spec.components.security_scheme(
        "key",
        {"type": "http", "scheme": "bearer", "description": "An API key, where other machines can reach the service. Also as X-API-Key."},
    )
    _teach(plugin)
    spec.components.response(
        "Problem", {"description": "A problem document (RFC 9457).", "content": {MEDIA_TYPE: {"schema": ProblemSchema}}}
    )
    for name, description in _HEADERS.items():
        spec.components.header(name, {"description": description, "schema": {"type": "string"}})
    for path, operations in (_paths() | openapi_ehr.paths()).items():
        spec.path(path, operations=operations)
    return spec.to_dict()


def _paths() -> dict[str, Json]:
    question = {"required": True, "content": {"application/json": {"schema": QuestionSchema, "examples": examples.QUESTIONS}}}
    return {
        "/v1/check": {
            "post": _operation(
                "check",
                "Check an order",
                "Line compatibility, product rules, interactions, duplication and order of administration.",
                ReportSchema,
                400,
                413,
                415,
                422,
            )
            | {"requestBody": question}
        },
        "/v1/batch": {"post": _stream()},
        "/v1/plan": {
            "post": _operation(
                "plan",
                "Plan lumens and times",
                "Which infusion on which lumen, and when, over 24 hours: exact, with a proof; what shares a lumen, "
                "with verdict and sources; or, where no plan exists, what cannot be carried.",
                None,
                400,
                413,
                415,
                422,
                503,
            )
            | {"requestBody": {"required": True, "content": {"application/json": {"schema": PlanSchema, "examples": examples.PLANS}}}}
        },
        "/v1/drugs": {
            "get": _operation(
                "drugs", "Find a drug", "Type-ahead over names, brands, abbreviations and codes, best first.", HitsSchema, 422
            )
            | {"parameters": [{"in": "query", "schema": DrugsQuery}]}
        },
        "/v1/drugs/{id}": {
            "get": _operation(
                "drug", "One drug", "Identity, codes, classes, composition, pH, rules, and with whom more is known.", DrugSchema, 404, 422
            )
            | {"parameters": [_parameter("id", "an id or a name; ambiguous names are refused", examples.DRUG)]}
        },
        "/v1/pairs/{a}/{b}": {
            "get": _operation(
                "pair",
                "One pair",
                "All evidence in all modes, judged without conditions; rules and interactions.",
                PairPageSchema,
                404,
                422,
            )
            | {"parameters": [_parameter(at, "an id or a name", name) for at, name in zip("ab", examples.PAIR, strict=True)]}
        },
        "/v1/sources/{id}": {
            "get": _operation("source", "One source", "The citation, and every fact that rests on it.", SourcePageSchema, 404, 422)
            | {"parameters": [_parameter("id", "an id of a source, as answers name it", examples.SOURCE)]}
        },
        "/v1/knowledge": {
            "get": _operation("knowledge", "The knowledge in force", "Version, digest, date and counts.", KnowledgeSchema, 422)
        },
        "/v1/feedback/summary": {
            "get": _operation(
                "feedback_summary", "What is overridden most", "What became of cards, by pair and reason.", FeedbackSummarySchema, 422, 503
            )
        },
        "/metrics": {"get": _counts()},
        "/healthz": {"get": _operation("alive", "Alive", "The process answers.", None)},
        "/readyz": {"get": _operation("ready", "Ready", "Questions can be answered.", None, 503)},
        "/problems/{kind}": {
            "get": _operation("explain", "A problem type", "What the `type` of a problem document means.", None, 404)
            | {"parameters": [_parameter("kind", f"one of: {', '.join(KINDS)}", examples.PROBLEM)]}
        },
    }


def _operation(name: str, summary: str, description: str, schema: type[Schema] | None, *failures: int) -> Json:
    shape: Any = schema or {"type": "object"}
    headers = {header: {"$ref": f"#/components/headers/{header}"} for header in _HEADERS}
    responses: Json = {"200": {"description": "The answer.", "content": {"application/json": {"schema": shape}}, "headers": headers}}
    responses |= {str(status): "Problem" for status in failures} | {"default": "Problem"}
    return {"operationId": name, "summary": summary, "description": description, "responses": responses}


def _stream() -> Json:
    text = {"application/x-ndjson": {"schema": {"type": "string"}}}
    told = _operation(
        "batch",
        "Check many orders",
        'One order set a line, `{"id": ..., ...}` with the body of /v1/check beside the id; one answer a line as they come, and last '
        '`{"end": {...}}` with the counts. One bad line never breaks the rest.',
        None,
        400,
        413,
        415,
        422,
    )
    told["responses"]["200"]["content"] = text
    return told | {"parameters": [{"in": "query", "schema": BatchQuery}], "requestBody": {"required": True, "content": text}}


def _counts() -> Json:
    text = {
        "200": {"description": "Counters, in the text format of Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "default": "Problem",
    }
    return {
        "operationId": "metrics",
        "summary": "Metrics",
        "description": "Counts of all workers, and the state of the one that answers.",
        "responses": text,
    }


def _parameter(name: str, description: str, example: str) -> Json:
    return {"in": "path", "name": name, "required": True, "description": description, "schema": {"type": "string"}, "example": example}


def _name(schema: type[Schema] | Schema) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    return cls.__name__.removesuffix("Schema")


def _teach(plugin: MarshmallowPlugin) -> None:
    """Fields that take a name, a code or an object, as oneOf."""
    converter: Any = plugin.converter

    def named(_: Any, field: Field[Any], **kwargs: Any) -> Json:
        if isinstance(field, Named):
            return {"oneOf": [{"type": "string", "minLength": 1, "maxLength": 200}, converter.resolve_nested_schema(CodeSchema)]}
        return {}

    def item(_: Any, field: Field[Any], **kwargs: Any) -> Json:
        if isinstance(field, Item):
            return {"oneOf": [*named(_, field.named)["oneOf"], converter.resolve_nested_schema(type(field.schema))]}
        return {}

    converter.add_attribute_function(named)
    converter.add_attribute_function(item)
