"""The HTTP door: parses, calls the engine, shapes the answer. No clinical logic lives here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from api import (
    access,
    batch,
    check,
    docs,
    ehr,
    exchange,
    feedback_summary,
    health,
    hooks,
    known,
    metrics,
    operations,
    pages,
    plan,
    problems,
    release,
    settings,
)
from api.audit import Audit, read_secret
from api.keys import Keys
from api.service import Service
from api.store import Database
from knowledge import Knowledge, load

__all__ = ["create_app"]


def create_app(config: Mapping[str, Any] | None = None, *, knowledge: Knowledge | None = None) -> Flask:
    """Make the application.

    config: settings by name (api/settings.py) that override the environment.
    knowledge: a loaded knowledge base to answer from, in place of loading one.
    Raises SettingsError for settings, KnowledgeError for knowledge, that cannot be used.
    """
    chosen = settings.read(given=config)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = chosen.most_bytes
    app.url_map.merge_slashes = False
    here = Service.over(knowledge or load(release.folder(chosen.knowledge), overlay=chosen.overlay), chosen)
    app.extensions["linewise"] = here
    exchange.install(app, here.knowledge, chosen.log)
    problems.install(app)
    database = Database(chosen.database)
    app.extensions["linewise-audit"] = Audit(database, chosen.audit, read_secret(chosen.audit_secret))
    access.install(app, chosen, Keys(database))
    ehr.install(app, here, database)
    for module in (check, batch, plan, known, health, docs, hooks, operations, metrics, feedback_summary):
        app.register_blueprint(module.bp)
    pages.install(app)
    return app
