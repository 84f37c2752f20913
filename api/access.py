"""Who may ask: API keys with scopes, limits of requests, and which browsers may call from elsewhere.

Keys are required whenever other machines can reach the service (api/settings.py: keys, allow_open). What an address takes
stands in one table below; an address that is not on it takes a key all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from flask_cors import CORS
from flask_limiter import Limiter
from limits import RateLimitItemPerMinute
from werkzeug.middleware.proxy_fix import ProxyFix

from api import counts, rates
from api.keys import Holder, Keys
from api.problems import Failure
from api.settings import Settings, SettingsError, is_local, refuse_open
from api.store import Database, DatabaseDown
from checker import AskProblem

bp = Blueprint("access", __name__)
COOKIE = "linewise_key"
PUBLIC = "public"
OWN = "own"  # the doors for EHRs ask for a signed token themselves
FAILURES_PER_MINUTE = 30  # keys that one address may get wrong; a verification costs the time it takes to try one
LONGEST_KEY = 200
_SAFE = ("GET", "HEAD", "OPTIONS")
_TABLE = (  # the beginning of an address, as the application routes it -> the scope it takes; the first that fits
    ("/healthz", PUBLIC),
    ("/readyz", PUBLIC),
    ("/problems/", PUBLIC),
    ("/docs", PUBLIC),
    ("/openapi.json", PUBLIC),
    ("/sign-in", PUBLIC),
    ("/sign-out", PUBLIC),
    ("/assets/", PUBLIC),
    ("/workbench/assets/", PUBLIC),
    ("/metrics", "admin"),
    ("/v1/batch", "batch"),
    ("/v1/plan", "plan"),
    ("/v1/feedback", "feedback"),
    ("/v1/", "check"),
    ("/feedback", "feedback"),
    ("/plan", "plan"),
    ("/cds-services", OWN),
    ("/fhir", OWN),
)


class Access:
    """One per app. required: whether keys are asked for."""

    def __init__(self, keys: Keys, required: bool, clients: bool) -> None:
        self.keys, self.required, self.clients = keys, required, clients
        self.limiter: Limiter | None = None

    def follow(self, old: Access, app: Flask) -> None:
        """Be as strict as the access of the application that this one takes the place of."""
        if old.required and not self.required:
            require(app, app.extensions["linewise"].settings)

    def check(self) -> None:
        """Let the current request pass, or raise Failure."""
        if not self.required or request.method == "OPTIONS":
            return
        scope = scope_of(request.url_rule.rule if request.url_rule is not None else request.path, request.method)
        if scope == PUBLIC or (scope == OWN and self.clients):
            return
        found = g.holder = self.holder(_given())
        scope = "check" if scope == OWN else scope
        if scope not in found.scopes:
            counts.REFUSED.labels("scope").inc()
            raise Failure(
                "scope-missing",
                f"The key {found.id} does not have the scope {scope}.",
                [AskProblem("", f"scope {scope} is missing", "ask for a key that has it")],
            )

    def holder(self, given: str | None) -> Holder:
        """Whose key was given. Raises Failure for one that cannot pass."""
        if given is None:
            counts.REFUSED.labels("missing").inc()
            raise _no_key("no key was given")
        address = request.remote_addr or ""
        failures = RateLimitItemPerMinute(FAILURES_PER_MINUTE)
        counter = self.limiter.limiter if self.limiter is not None else None
        if counter is not None and not counter.test(failures, "wrong-key", address):
            counts.REFUSED.labels("too-many").inc()
            raise Failure("too-many-requests", "Too many wrong keys came from this address. Wait a minute.", headers={"Retry-After": "60"})
        try:
            found = self.keys.recognise(given)
        except DatabaseDown as error:
            counts.REFUSED.labels("database").inc()
            raise Failure(
                "keys-unavailable", "The key cannot be verified while the database is down.", headers={"Retry-After": "5"}
            ) from error
        if found is None:
            if counter is not None:
                counter.hit(failures, "wrong-key", address)
            counts.REFUSED.labels("wrong").inc()
            raise _no_key("the key is not known, revoked or expired")
        return found


def scope_of(rule: str, method: str) -> str:
    """What an address takes."""
    for beginning, scope in _TABLE:
        if rule == beginning or rule.startswith(beginning if beginning.endswith("/") else f"{beginning}/"):
            return scope
    return "check" if method in _SAFE or rule == "/" else "admin"


def install(app: Flask, chosen: Settings, keys: Keys) -> Access:
    """Put the door in front of `app`."""
    if chosen.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=chosen.proxies, x_proto=chosen.proxies, x_host=chosen.proxies)  # type: ignore[method-assign]
    beyond = not is_local(chosen.bind)
    access = app.extensions["linewise-access"] = Access(
        keys, chosen.keys == "always" or (beyond and not chosen.allow_open), chosen.clients is not None
    )
    if chosen.cors_origins:
        _share(app, chosen.cors_origins)
    app.before_request(access.check)
    if access.required:
        app.register_blueprint(bp)
    if chosen.rate_per_minute is not None or access.required or beyond:
        limit(app, chosen)
    return access


def guard(addresses: Sequence[str], chosen: Settings) -> bool:
    """Whether keys must be asked for at these addresses. Raises SettingsError when they must, and nobody holds one."""
    if chosen.allow_open or all(is_local(address) for address in addresses):
        return False
    database = Database(chosen.database)
    try:
        held = Keys(database).usable()
    except DatabaseDown:
        held = True  # keys are in force all the same: nobody passes until the database is back
    finally:
        database.close()
    refuse_open(addresses, chosen.allow_open, held)
    return True


def require(app: Flask, chosen: Settings) -> None:
    """Ask for keys from now on: the service turns out to listen beyond this machine. Before any request."""
    access = cast(Access, app.extensions["linewise-access"])
    if not access.required:
        access.required = True
        app.register_blueprint(bp)
    if access.limiter is None:
        limit(app, chosen)


def limit(app: Flask, chosen: Settings) -> None:
    """Count the requests of each key, or of each address where there is no key."""
    most = 1200 if chosen.rate_per_minute is None else chosen.rate_per_minute
    try:
        limiter = Limiter(
            _who,
            application_limits=[f"{most} per minute"] if most else [],
            storage_uri=rates.TOGETHER if chosen.rate_store else rates.OWN,
            storage_options={"store": chosen.rate_store} if chosen.rate_store else None,
            strategy="fixed-window",
            headers_enabled=True,
        )
        limiter.request_filter(_uncounted)
        limiter.init_app(app)
    except Exception as error:  # storages raise what their drivers raise
        raise SettingsError(
            f"LINEWISE_RATE_STORE cannot be used: {type(error).__name__}. Write redis://host:6379, or leave it out."
        ) from error
    app.extensions["linewise-access"].limiter = limiter


def holder() -> str:
    """Id of the key of the current request; "" without one."""
    found = g.get("holder")
    return found.id if found is not None else ""


def _who() -> str:
    found = g.get("holder")
    return f"key:{found.id}" if found is not None else f"address:{request.remote_addr}"


def _uncounted() -> bool:
    return request.path in ("/healthz", "/readyz", "/metrics")


def _given() -> str | None:
    """The key that came with the request: Authorization: Bearer, X-API-Key, or the cookie of a signed-in browser."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key")
    if given is None and COOKIE in request.cookies:
        if request.method not in _SAFE and not _same_origin():
            raise Failure("scope-missing", "A page of another origin may not act with this browser's key.")
        given = request.cookies[COOKIE]
    return given[:LONGEST_KEY] if given else None


def _same_origin() -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host


def _no_key(reason: str) -> Failure:
    mend = "send the header Authorization: Bearer lw_...; `python -m api keys create` makes a key"
    return Failure(
        "key-required", f"A key is required here: {reason}.", [AskProblem("", reason, mend)], headers={"WWW-Authenticate": "Bearer"}
    )


def _share(app: Flask, chosen: tuple[str, ...]) -> None:
    """Let pages of other origins, as EHRs have them, call their doors; never with this browser's cookie."""
    origins = "*" if "*" in chosen else list(chosen)
    rules = {
        "origins": origins,
        "methods": ["GET", "POST", "OPTIONS"],
        "allow_headers": ["Content-Type", "Authorization", "X-API-Key", "X-Request-Id"],
        "send_wildcard": origins == "*",
        "expose_headers": ["X-Request-Id", "Linewise-Knowledge", "Retry-After"],
        "max_age": 600,
        "supports_credentials": False,
    }
    CORS(app, resources={r"/cds-services.*": rules, r"/fhir/.*": rules})


# --- browsers ---

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Linewise: sign in</title>
<link rel="stylesheet" href="/docs/assets/docs.css"><main><h1>Linewise</h1><p>%s</p>
<form method="post" action="/sign-in"><p><label>Key <input name="key" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p></form></main></html>"""


@bp.get("/sign-in")
def sign_in_page() -> Response:
    """The form that takes a key for a browser."""
    return Response(_PAGE % "This service asks for a key. Your IT department gives it to you.", mimetype="text/html")


@bp.post("/sign-in")
def sign_in() -> Response:
    """Keep the key in a cookie that scripts cannot read."""
    access = cast(Access, current_app.extensions["linewise-access"])
    request.max_content_length = 2048
    typed = request.form.get("key", "").strip()[:LONGEST_KEY]
    try:
        access.holder(typed)
    except Failure as failure:
        if failure.kind != "key-required":
            raise
        return Response(_PAGE % "This key is not known, revoked or expired.", 401, mimetype="text/html")
    response = cast(Response, redirect("/", 303))
    response.set_cookie(COOKIE, typed, httponly=True, samesite="Strict", secure=request.is_secure, max_age=12 * 3600)
    return response


@bp.post("/sign-out")
def sign_out() -> Response:
    """Forget the key in this browser."""
    response = cast(Response, redirect("/sign-in", 303))
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
    return response
