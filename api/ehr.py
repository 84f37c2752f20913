"""What the doors for EHRs share: reading, cards, trust and feedback. Made once for an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request

from api.cds.cards import Cards
from api.cds.details import Details
from api.cds.tiers import Tiers
from api.cds.trust import Trust
from api.feedback import Store
from api.fhir.reader import Reader
from api.service import Service
from api.store import Database

_KEY = "linewise-ehr"


@dataclass(frozen=True, slots=True)
class Ehr:
    """One per app."""

    reader: Reader
    cards: Cards
    trust: Trust
    store: Store


def install(app: Flask, here: Service, database: Database) -> None:
    """Make what the doors for EHRs need. Raises SettingsError for settings that cannot be used."""
    chosen = here.settings
    reader = Reader.over(here.knowledge, here.names, chosen.codes)
    details = Details(here.knowledge, reader.codes.digest, chosen.public_url)
    store = Store(database)
    app.extensions[_KEY] = Ehr(
        reader, Cards(here.knowledge, Tiers.read(chosen.tiers), details, chosen.public_url), Trust(chosen, store), store
    )


def ehr() -> Ehr:
    """That of the app that handles the current request."""
    return cast(Ehr, current_app.extensions[_KEY])


def prepare(bp: Blueprint) -> None:
    """Give the requests of a blueprint the size that EHRs need, and its refusals the header that tells how to come back."""

    def larger() -> None:
        request.max_content_length = ehr_bytes()

    def challenge(response: Response) -> Response:
        if response.status_code == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    bp.before_request(larger)
    bp.after_request(challenge)


def ehr_bytes() -> int:
    """Largest body of the doors for EHRs."""
    return cast(Service, current_app.extensions["linewise"]).settings.most_ehr_bytes
