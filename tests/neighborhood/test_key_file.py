"""Keys behind a passphrase: what is written is read again, and with anything changed it isn't."""

import json
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.key_file import KeyFile, KeyFileError, open_sealed, seal

from .street import seed

IDENTITY = "AGE-SECRET-KEY-1" + "Q" * 58
PASSPHRASE = "correct horse battery"
FEW = 100_000  # iterations: the tests have many files
CONTENT = KeyFile("Chandler Police", "https://hub.example/hub#1.abc", seed("officer"), IDENTITY)


def test_what_is_sealed_is_opened() -> None:
    data = seal(CONTENT, PASSPHRASE)
    assert json.loads(data)["kdf"]["iterations"] == 600_000
    assert open_sealed(data, PASSPHRASE) == CONTENT
    for secret in (seed("officer").hex(), IDENTITY, PASSPHRASE, "Chandler"):
        assert secret.encode() not in data
    assert seed("officer").hex() not in repr(CONTENT)
    assert IDENTITY not in repr(CONTENT)


def test_a_file_that_only_reads() -> None:
    content = KeyFile("Chandler Police", None, None, IDENTITY)
    found = open_sealed(seal(content, PASSPHRASE, iterations=FEW), PASSPHRASE)
    assert found == content
    assert found.key is None


def test_the_same_passphrase_written_in_two_ways() -> None:
    data = seal(CONTENT, "caf\u00e9 caf\u00e9 caf\u00e9", iterations=FEW)
    assert open_sealed(data, "cafe\u0301 cafe\u0301 cafe\u0301") == CONTENT


def test_each_file_has_salt_and_nonce_of_its_own() -> None:
    first, second = (json.loads(seal(CONTENT, PASSPHRASE, iterations=FEW)) for _ in range(2))
    assert first["kdf"]["salt"] != second["kdf"]["salt"]
    assert first["nonce"] != second["nonce"]
    assert first["data"] != second["data"]


def test_a_passphrase_has_some_length() -> None:
    with pytest.raises(KeyFileError) as caught:
        seal(CONTENT, "short")
    assert caught.value.code == "short_passphrase"


def code_of(data: bytes, passphrase: str = PASSPHRASE) -> str:
    with pytest.raises(KeyFileError) as caught:
        open_sealed(data, passphrase)
    return caught.value.code


def test_another_passphrase() -> None:
    data = seal(CONTENT, PASSPHRASE, iterations=FEW)
    assert code_of(data, PASSPHRASE + "!") == "wrong_passphrase"
    assert code_of(data, "") == "wrong_passphrase"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "ringwatch-officer-key/2"}, "not_a_key_file"),
        ({"cipher": "AES-128-GCM"}, "not_a_key_file"),
        ({"nonce": "00" * 11}, "not_a_key_file"),
        ({"nonce": "00" * 12}, "wrong_passphrase"),
        ({"data": "!"}, "not_a_key_file"),
        ({"data": ""}, "wrong_passphrase"),
        ({"kdf": {"name": "PBKDF2-SHA1", "iterations": FEW, "salt": "00" * 16}}, "not_a_key_file"),
        ({"kdf": {"name": "PBKDF2-SHA256", "iterations": 1, "salt": "00" * 16}}, "not_a_key_file"),
        ({"kdf": {"name": "PBKDF2-SHA256", "iterations": 10**9, "salt": "00" * 16}}, "not_a_key_file"),
        ({"kdf": {"name": "PBKDF2-SHA256", "iterations": True, "salt": "00" * 16}}, "not_a_key_file"),
        ({"kdf": {"name": "PBKDF2-SHA256", "iterations": FEW, "salt": "00" * 16}}, "wrong_passphrase"),
        ({"kdf": None}, "not_a_key_file"),
    ],
)
def test_a_file_that_was_changed(change: dict[str, Any], code: str) -> None:
    written = json.loads(seal(CONTENT, PASSPHRASE, iterations=FEW))
    assert code_of(json.dumps(written | change).encode()) == code


@pytest.mark.parametrize("data", [b"", b"[]", b"[" * 10_000, b"\xff", b"{}", b" " * 20_000])
def test_another_file(data: bytes) -> None:
    assert code_of(data) == "not_a_key_file"
