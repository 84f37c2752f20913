"""The examples of docs/ehr.md work as pasted, and what it says of settings, services and keys is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.cds.services import PREFETCH, SERVICES
from api.cds.trust import read_clients
from api.settings import SETTINGS
from tests.ehr import assert_cards

PAGE = (Path(__file__).parents[2] / "docs" / "ehr.md").read_text(encoding="utf-8")
CURLS = re.findall(
    r"^curl -s '?http://127\.0\.0\.1:8080(/[^\s']*)'?(?: -H 'Content-Type: ([^']+)' -d '(.*?)')?$", PAGE, re.MULTILINE | re.DOTALL
)


def test_the_page_has_its_examples() -> None:
    assert ["/cds-services", "/cds-services/iv-compatibility", "/cds-services/iv-compatibility/feedback", "/fhir/R4/$check-infusions"] == [
        path for path, _, _ in CURLS
    ]


@pytest.mark.parametrize(("path", "kind", "body"), CURLS)
def test_a_curl_works_as_pasted(real_client: FlaskClient, path: str, kind: str, body: str) -> None:
    response = real_client.post(path, data=body, content_type=kind) if body else real_client.get(path)

    assert 200 == response.status_code, response.text
    answer: Any = response.get_json()
    if path.endswith("iv-compatibility"):
        [card] = assert_cards(answer)
        assert "critical" == card["indicator"] and "separate line" in card["suggestions"][0]["label"]
    if path.startswith("/fhir"):
        assert "high" == answer["entry"][0]["resource"]["severity"]


def test_settings_that_the_page_names_exist() -> None:
    named = {name.lower() for name in re.findall(r"LINEWISE_([A-Z_]+)", PAGE)}

    assert named <= {setting.name for setting in SETTINGS}


def test_services_and_prefetch_are_as_told() -> None:
    assert all(f"| `{service.id}` |" in PAGE for service in SERVICES.values())
    assert all(f"| `{key}` | `{template}` |" in PAGE for key, template in PREFETCH.items())


def test_the_file_of_clients_has_the_shape_that_is_told(tmp_path: Path) -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    keys = {
        "keys": [
            {
                "kty": "EC",
                "crv": "P-384",
                "kid": "k",
                "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
                "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
            }
        ]
    }
    for name in ("sandbox-jwks-public.json", "ehr-keys.json"):
        (tmp_path / name).write_text(json.dumps(keys), encoding="utf-8")
    (tmp_path / "clients.json").write_text(shown[1], encoding="utf-8")

    assert {"https://sandbox.cds-hooks.org", "https://ehr.example/fhir"} == set(read_clients(tmp_path / "clients.json"))
