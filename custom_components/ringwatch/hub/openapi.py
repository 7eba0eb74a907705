"""The OpenAPI 3.1 description of this hub, made from its routes."""

from typing import Any, Final

from ..neighborhood.delivery import MAX_DELIVERY_BYTES
from .blobs import PART_BYTES
from .call import DIGEST, NUMBER, Route
from .errors import PROTOCOL
from .routes import ROUTES

_DIGEST: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SIGNATURE: Final = {"type": "string", "pattern": "^[0-9a-f]{128}$"}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _object(properties: dict[str, Any], *, also: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": also,
    }


def _array(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


SCHEMAS: Final[dict[str, Any]] = {
    "Json": {"type": "object"},
    "Error": {
        "type": "object",
        "properties": {"code": {"type": "string"}, "about": {"type": "string"}},
        "required": ["code"],
    },
    "Record": {
        "type": "object",
        "description": "A signed record in canonical JSON (RFC 8785): docs/protocol.md",
        "properties": {
            "envelope": {"type": "object"},
            "sig": _SIGNATURE,
            "body": {"type": "object"},
            "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        },
        "required": ["envelope", "sig"],
        "additionalProperties": False,
    },
    "Placed": _object(
        {
            "entry": _object(
                {
                    "number": {"type": "integer", "minimum": 1},
                    "id": _DIGEST,
                    "time": _COUNT,
                    "previous": {"type": ["string", "null"]},
                    "sig": _SIGNATURE,
                    "head": _DIGEST,
                }
            )
        }
    ),
    "Ids": _object({"ids": _array(_DIGEST, 100)}),
    "Search": _object(
        {
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "cursor": {"type": ["integer", "null"], "minimum": 1, "maximum": 2**53 - 1},
            "categories": _array(
                {
                    "enum": [
                        "safety",
                        "crime",
                        "package",
                        "lost_and_found",
                        "animal",
                        "environment",
                        "community",
                    ]
                },
                7,
            ),
            "kinds": _array({"enum": ["post", "alert"]}, 2),
            "text": {"type": "string", "maxLength": 200},
            "near": {
                "oneOf": [
                    {"type": "null"},
                    _object(
                        {
                            "lat_e6": {"type": "integer", "minimum": -90_000_000, "maximum": 90_000_000},
                            "lon_e6": {"type": "integer", "minimum": -180_000_000, "maximum": 180_000_000},
                            "radius_m": {"type": "integer", "minimum": 1, "maximum": 100_000},
                        }
                    ),
                ]
            },
        }
    ),
    "Media": _object(
        {
            "sha256": _DIGEST,
            "size": {"type": "integer", "minimum": 1, "maximum": 104_857_600},
            "type": {"enum": ["video/mp4", "image/jpeg"]},
            "duration_ms": {"type": "integer", "minimum": 0, "maximum": 600_000},
            "width": {"type": "integer", "minimum": 16, "maximum": 8_192},
            "height": {"type": "integer", "minimum": 16, "maximum": 8_192},
        }
    ),
    "Upload": {
        "type": "object",
        "properties": {
            "state": {"enum": ["open", "checking", "ready"]},
            "offset": _COUNT,
            "part_bytes": {"const": PART_BYTES},
            "token": {"type": "string"},
        },
        "required": ["state"],
    },
    "Clock": _object({"time": _COUNT}),
    "Quotas": _object(
        {
            name: {"type": "integer", "minimum": 0, "maximum": 2**50}
            for name in (
                "member_media_bytes",
                "member_upload_bytes_day",
                "member_download_bytes_day",
                "total_media_bytes",
            )
        }
    ),
    "Invite": _object({"invite": _DIGEST}),
    "Announced": _object(
        {
            "request": _DIGEST,
            "key": _DIGEST,
            "sha256": _DIGEST,
            "size": {"type": "integer", "minimum": 1, "maximum": MAX_DELIVERY_BYTES},
        }
    ),
    "Begun": _object({"delivery": _DIGEST, "part_bytes": {"const": PART_BYTES}}),
    "Code": _object({"code": {"type": "string"}}),
    "Consent": _object({"key": _DIGEST, "sig": _SIGNATURE}),
    "Share": _object({"share": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}),
    "Switch": _object({"on": {"type": "boolean"}}),
    "Notice": _object(
        {
            "demand": _DIGEST,
            "subjects": {**_array(_DIGEST, 100), "minItems": 1},
            "text": {"type": "string", "minLength": 1, "maxLength": 2_000},
            "from": _COUNT,
        }
    ),
    "Receipt": _object(
        {
            "delivery": _DIGEST,
            "request": _DIGEST,
            "sha256": _DIGEST,
            "kind": {"enum": ["received", "used", "deleted", "shared_with"]},
            "time": _COUNT,
            "retention_until": {"type": ["integer", "null"], "minimum": 0},
            "about": {"type": "string", "maxLength": 500},
            "officer": _DIGEST,
            "sig": _SIGNATURE,
        }
    ),
}
_BINARY: Final = {
    "Lines": "application/x-ndjson",
    "Gzip": "application/gzip",
    "Bytes": "application/octet-stream",
    "Package": "application/octet-stream",
    "Part": "application/octet-stream",
    "Page": "text/html",
    "Table": "text/csv",
}
_QUERY: Final[dict[str, dict[str, Any]]] = {
    "after": {"type": "integer", "minimum": 0},
    "wait": {"type": "integer", "minimum": 0, "maximum": 50},
    "offset": {"type": "integer", "minimum": 0},
    "cursor": {"type": "string"},
    "subject": _DIGEST,
    "request": _DIGEST,
}
_REQUIRED: Final = frozenset({"after", "offset"})
_ALWAYS: Final = (400, 403, 404, 405, 408, 411, 413, 415, 422, 429, 500, 503, 507)


def describe() -> dict[str, Any]:
    """Return the description."""
    paths: dict[str, Any] = {
        "/health": {"get": _open("How the hub is")},
        "/openapi.json": {"get": _open("This description")},
        **{
            f"/register/{{neighborhood}}{suffix}": {"get": _register(kind)}
            for suffix, kind in (("", "Page"), (".json", "Json"), (".csv", "Table"))
        },
    }
    for route in ROUTES:
        path = "/v1/{neighborhood}" + "".join(f"/{part}" for part in route.parts)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringwatch hub",
            "version": str(PROTOCOL),
            "description": "Signed records of a neighborhood. Calls below /v1 are signed: docs/protocol.md.",
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _open(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {"200": _response("Json"), "400": _response("Error"), "429": _response("Error")},
    }


def _register(kind: str) -> dict[str, Any]:
    operation = _open("What anybody may know of the agencies here and of what they asked")
    operation["parameters"] = [_parameter("neighborhood", "path", _DIGEST, required=True)]
    missing = {"description": "No such register", "content": _content("Page") | _content("Error")}
    operation["responses"] |= {
        "200": _response(kind), "304": _response(""), "404": missing, "503": _response("Error"),
    }  # fmt: skip
    return operation


def _operation(route: Route) -> dict[str, Any]:
    parameters = [_parameter("neighborhood", "path", _DIGEST, required=True)]
    if DIGEST in route.parts:
        parameters.append(_parameter("digest", "path", _DIGEST, required=True))
    if NUMBER in route.parts:
        number = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
        parameters.append(_parameter("number", "path", number, required=True))
    for name, schema in (
        ("Ringwatch-Key", _DIGEST),
        ("Ringwatch-Time", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
        ("Ringwatch-Signature", _SIGNATURE),
    ):
        parameters.append(_parameter(name, "header", schema, required=False))
    for name in route.query:
        schema = _QUERY[name]
        if name == "cursor":
            schema = _DIGEST if route.parts == ("members",) else {"type": "integer", "minimum": 1}
        parameters.append(_parameter(name, "query", schema, required=name in _REQUIRED))
    operation: dict[str, Any] = {
        "summary": route.summary,
        "description": f"For: {route.who}.",
        "parameters": parameters,
        "responses": {
            str(status): _response(name)
            for status, name in (dict.fromkeys(_ALWAYS, "Error") | dict(route.answers)).items()
        },
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": _content(route.body)}
    if route.method == "HEAD":
        operation["responses"] = {key: {"description": "No body"} for key in operation["responses"]}
        operation["responses"]["416"] = {"description": "No body"}
    return operation


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _response(name: str) -> dict[str, Any]:
    if not name:
        return {"description": "Nothing"}
    return {
        "description": "What went wrong" if name == "Error" else "What was asked for",
        "content": _content(name),
    }


def _content(name: str) -> dict[str, Any]:
    if name in _BINARY:
        media: dict[str, Any] = {_BINARY[name]: {"schema": {"type": "string", "format": "binary"}}}
        if name == "Bytes":
            media = dict.fromkeys(("video/mp4", "image/jpeg"), media[_BINARY[name]])
        return media
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
