"""Bodies and query parameters in, JSON out.

The only functions that touch a request's body are here; what they refuse is told by line and column, never logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson
from flask import Request, Response, current_app, g
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from api.problems import Failure
from checker import AskProblem, repeated_field

_JSON = ("application/json",)


def read_json(request: Request, types: Sequence[str] = _JSON) -> Any:
    """The JSON value of a request's body. types: content types that are taken.

    Raises Failure: wrong content type (415), or not one strict UTF-8 JSON document (400). A body over the limit is
    refused by Flask before it is read (413). NaN, lone surrogates, numbers without end and fields named twice are
    refused: two readers could understand them differently.
    """
    if request.mimetype not in types or request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        said = f'"{request.mimetype}"' if request.mimetype else "none"
        raise Failure("unsupported-media-type", f"The Content-Type is {said}. Send application/json in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Failure("unsupported-media-type", "The body is compressed. Send it without Content-Encoding.")
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge()  # sent in chunks, and cut at the limit
    if not body.strip():
        raise _malformed("", "the body is empty", 'send a question, e.g. {"drugs": ["vancomycin", "heparin"]}')
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise _malformed(at, error.msg, "correct the JSON there; a JSON validator will show the place") from None
    try:
        twice = repeated_field(body, value)
    except RecursionError:
        raise _malformed("", "the JSON is nested too deep", "a question needs three levels at most") from None
    if twice is not None:
        raise _malformed(twice, "this field stands twice in one object", "keep one of the two; readers differ on which would count")
    deepest = current_app.extensions["linewise"].settings.most_depth
    if body.count(b"[") + body.count(b"{") > deepest and _deeper(value, deepest):
        raise _malformed("", f"the JSON is nested too deep, more than {deepest} levels", "a question needs three levels at most")
    g.asked = body  # for its hash in the audit trail
    return value


def _deeper(value: Any, deepest: int) -> bool:
    """Whether `value` is nested deeper than that."""
    level = [value] if isinstance(value, (list, dict)) else []
    for _ in range(deepest):
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item) if isinstance(inner, (list, dict))
        ]
        if not level:
            return False
    return True


def _malformed(at: str, reason: str, mend: str) -> Failure:
    return Failure("malformed-json", f"The body is not JSON that can be used: {reason}.", [AskProblem(at, reason, mend)])


def read_query(request: Request, schema: Schema) -> dict[str, Any]:
    """The query parameters, read by `schema`. Raises Failure for unknown, missing, repeated or unusable ones."""
    errors = [
        AskProblem(name, "this parameter stands more than once", "give it once") for name, values in request.args.lists() if len(values) > 1
    ]
    values: dict[str, Any] = {}
    try:
        values = schema.load(request.args.to_dict())
    except ValidationError as error:
        for name, told in cast(dict[str, list[str]], error.messages).items():
            for message in told:
                reason, _, mend = str(message).partition(" | ")
                if reason == "Unknown field.":
                    reason, mend = "this parameter is unknown", f"the parameters here are: {', '.join(schema.fields) or 'none'}"
                errors.append(AskProblem(str(name), reason, mend or "see /docs"))
    if errors:
        raise Failure("bad-query", "`errors` names each parameter that cannot be used.", errors)
    return values


def answer(data: Any, status: int = 200) -> Response:
    """`data` as a JSON response. Keys may be words of a closed vocabulary."""
    return Response(orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS), status, mimetype="application/json")
