"""The served description against the hub: schemathesis makes up calls; they are signed; answers are compared.

Longer by hand: `RINGWATCH_SCHEMATHESIS_EXAMPLES=5000 .venv/bin/pytest tests/hub/test_openapi.py`.
"""

from collections import Counter
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given, settings
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip

from ringwatch.hub.openapi import describe
from ringwatch.hub.routes import ROUTES
from ringwatch.neighborhood.signed_calls import sign_call
from ringwatch.neighborhood.violations import BadCall
from script.lib.hub_client import Street

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
)  # fmt: skip
EXAMPLES = int(os.environ.get("RINGWATCH_SCHEMATHESIS_EXAMPLES", "12"))
OPERATIONS = [(path, method) for path, methods in describe()["paths"].items() for method in methods]


class Signing(requests.auth.AuthBase):
    """Signs whatever is about to be sent, as the host."""

    def __init__(self, street: Street) -> None:
        self.street = street

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        parts = urlsplit(request.url or "")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        body = request.body or b""
        data = body if isinstance(body, bytes) else str(body).encode()
        try:
            signed = sign_call(
                self.street.host.key, neighborhood=self.street.id, hub_key=self.street.hub.key,
                method=request.method or "GET", path=path, body=data, time_s=int(time.time()),
            )  # fmt: skip
        except BadCall:  # what can't be signed goes out unsigned
            return request
        request.headers.update(signed)
        return request


def test_every_route_is_described() -> None:
    described = {(method.upper(), path) for path, method in OPERATIONS}
    for route in ROUTES:
        path = "/v1/{neighborhood}" + "".join(f"/{part}" for part in route.parts)
        assert (route.method, path) in described


def test_what_is_served_is_the_description(street: Street) -> None:
    answer = street.hub.request("GET", "/openapi.json")
    assert answer.json == json.loads(json.dumps(describe()))
    assert answer.json["openapi"].startswith("3.1")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_described(street: Street, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(describe())
    [operation] = schema.include(path=path, method=method.upper()).get_all_operations()
    signing, base = Signing(street), f"http://127.0.0.1:{street.hub.port}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.ok().as_strategy())
    def call(case: Any) -> None:
        if "neighborhood" in (case.path_parameters or {}):
            case.path_parameters["neighborhood"] = street.id
        case.headers = {}  # the signature's come when everything else is known
        if isinstance(case.body, dict | list):  # as homes write it
            text = json.dumps(case.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            case.body, case.media_type = text.encode("utf-8", "replace"), "application/json"
        answer = case.call(
            base_url=base,
            auth=signing,
            allow_redirects=False,
            headers={"Content-Type": case.media_type or "-"},
        )
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    seen: Counter[int] = Counter()
    call()
    assert seen.total() >= min(EXAMPLES, 1)
    assert not {500, 501, 502, 504} & seen.keys()
