"""Keys, signatures, and what is refused as one."""

from custom_components.ringwatch.neighborhood.keys import (
    PrivateKey,
    fingerprint,
    is_digest,
    is_public_key,
    is_salt,
    is_signature,
    verify,
)  # fmt: skip

from .street import key, seed

# RFC 8032, 7.1, test 1 and 2
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_keys_are_those_of_rfc_8032() -> None:
    known = PrivateKey(RFC_SEED)
    assert known.public == RFC_PUBLIC
    assert known.sign("r", b"") == RFC_SIGNATURE
    assert verify(RFC_PUBLIC, "r", b"", RFC_SIGNATURE)


def test_a_signature_is_for_one_key_one_purpose_and_one_digest() -> None:
    signature = key("a").sign("ringwatch/record/v1", b"d" * 32)
    assert verify(key("a").public, "ringwatch/record/v1", b"d" * 32, signature)
    assert not verify(key("b").public, "ringwatch/record/v1", b"d" * 32, signature)
    assert not verify(key("a").public, "ringwatch/order/v1", b"d" * 32, signature)
    assert not verify(key("a").public, "ringwatch/record/v1", b"e" * 32, signature)
    assert not verify(key("a").public, "ringwatch/record/v1", b"d" * 32, signature.upper())
    assert not verify("zz" * 32, "ringwatch/record/v1", b"d" * 32, signature)
    assert not verify("02" + "00" * 31, "ringwatch/record/v1", b"d" * 32, signature)  # not on the curve


def test_a_key_under_which_anything_is_signed_is_no_key() -> None:
    """With the neutral point as key, R = the neutral point and S = 0 fit every message."""
    neutral = "01" + "00" * 31
    assert not is_public_key(neutral)
    assert not verify(neutral, "ringwatch/record/v1", b"d" * 32, neutral + "00" * 32)
    for y in (0, 2**255 - 20, 2**255 - 19, 2**255 - 18, 1 + 2**255):
        assert not is_public_key((y % 2**256).to_bytes(32, "little").hex())


def test_the_private_half_is_never_shown() -> None:
    secret = PrivateKey.generate()
    assert secret.seed.hex() not in repr(secret)
    assert repr(secret.seed) not in repr(secret)
    assert PrivateKey(secret.seed) == secret
    assert PrivateKey.generate() != secret


def test_names_of_digests_have_one_form() -> None:
    good = seed("x").hex()
    assert is_digest(good)
    for bad in (
        good.upper(),
        good[:-1],
        good + "0",
        good[:-1] + "\u0663",
        "../" + good[3:],
        good + "\n",
        None,
        7,
    ):
        assert not is_digest(bad)
        assert not is_public_key(bad)
    assert is_signature(good * 2)
    assert not is_signature(good)
    assert is_salt(good[:32])
    assert not is_salt(good)


def test_people_can_compare_fingerprints() -> None:
    shown = fingerprint(RFC_PUBLIC)
    assert [len(group) for group in shown.split(" ")] == [5] * 6
    assert shown.replace(" ", "").isdigit()
    assert shown != fingerprint(key("a").public)
