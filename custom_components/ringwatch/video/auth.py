"""HTTP authentication: Basic (RFC 7617) and Digest (RFC 7616, and RFC 2617 as older cameras do it)."""

from base64 import b64encode
import hashlib
import re
import secrets

_PAIR = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def authorization(
    challenges: list[str], method: str, target: str, username: str, password: str
) -> str | None:
    """Return the Authorization header that answers the strongest of the challenges; None if none can be."""
    answers: dict[str, str] = {}
    for challenge in challenges:
        scheme, _, rest = challenge.strip().partition(" ")
        fields = {key.lower(): quoted or plain for key, quoted, plain in _PAIR.findall(rest)}
        if scheme.lower() == "basic":
            answers["basic"] = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
        elif scheme.lower() == "digest":
            algorithm = fields.get("algorithm", "MD5").upper().removesuffix("-SESS")
            if algorithm in _ALGORITHMS:
                answers[algorithm] = _digest(
                    fields, algorithm, method=method, target=target, username=username, password=password
                )
    for choice in ("SHA-512-256", "SHA-256", "MD5", "basic"):
        if choice in answers:
            return answers[choice]
    return None


def _digest(
    fields: dict[str, str], algorithm: str, *, method: str, target: str, username: str, password: str
) -> str:
    def digest(*parts: str) -> str:
        return hashlib.new(
            _ALGORITHMS[algorithm], ":".join(parts).encode(), usedforsecurity=False
        ).hexdigest()

    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    cnonce, count = secrets.token_hex(8), "00000001"
    secret = digest(username, realm, password)
    if fields.get("algorithm", "").upper().endswith("-SESS"):
        secret = digest(secret, nonce, cnonce)
    request = digest(method, target)
    pairs = {"username": _escape(username), "realm": realm, "nonce": nonce, "uri": target}
    plain = {"algorithm": fields["algorithm"]} if "algorithm" in fields else {}
    if "auth" in [part.strip() for part in fields.get("qop", "").split(",")]:
        pairs["response"] = digest(secret, nonce, count, cnonce, "auth", request)
        pairs["cnonce"] = cnonce
        plain |= {"qop": "auth", "nc": count}
    else:
        pairs["response"] = digest(secret, nonce, request)
    if "opaque" in fields:
        pairs["opaque"] = fields["opaque"]
    return "Digest " + ", ".join(
        [f'{k}="{v}"' for k, v in pairs.items()] + [f"{k}={v}" for k, v in plain.items()]
    )


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
