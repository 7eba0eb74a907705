"""Invite links: whole, genuine, and of a plain address, or refused."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.certificates import Certificate, Replaced
from custom_components.ringwatch.neighborhood.invites import Invite, check_hub_url, create_invite, parse_link
from custom_components.ringwatch.neighborhood.limits import INVITE_S
from custom_components.ringwatch.neighborhood.violations import BadField, BadLink, LinkExpired

from .street import HUB, NOON_S, URL, key, seed

HOOD = seed("hood").hex()


def made(url: str = URL, replaces: Replaced | None = None) -> Invite:
    return create_invite(
        key("host"),
        neighborhood=HOOD,
        hub_key=HUB.public,
        url=url,
        now_s=NOON_S,
        seed=seed("secret"),
        replaces=replaces,
    )


@pytest.mark.parametrize("replaces", [None, Replaced(seed("m").hex(), seed("l").hex())])
def test_a_link_reads_back(replaces: Replaced | None) -> None:
    invite = made(replaces=replaces)
    assert parse_link(f" {invite.link}\n", now_s=NOON_S) == invite
    assert invite.key.public == invite.certificate.invite
    assert len(invite.link) < 500  # a QR code that a telephone can read
    assert Certificate.parse(invite.certificate.to_json()) == invite.certificate


def test_the_secret_stays_behind_the_hash_and_out_of_logs() -> None:
    invite = made()
    before, _, _ = invite.link.partition("#")
    assert before == f"{URL}/join"
    assert invite.seed.hex() not in repr(invite)
    assert repr(invite.seed) not in repr(invite)


def test_an_old_link_says_so() -> None:
    assert parse_link(made().link, now_s=NOON_S + INVITE_S - 1)
    with pytest.raises(LinkExpired):
        parse_link(made().link, now_s=NOON_S + INVITE_S)


@given(st.integers(0, 225), st.integers(1, 255))
def test_no_byte_of_a_link_can_be_changed(at: int, flip: int) -> None:
    head, _, packed = made().link.partition("#1.")
    data = bytearray(urlsafe_b64decode(packed + "=="))
    data[at % len(data)] ^= flip
    changed = urlsafe_b64encode(data).decode().rstrip("=")
    try:
        invite = parse_link(f"{head}#1.{changed}", now_s=NOON_S)
    except BadLink:
        return
    # The hub's key is not under the host's signature: it is compared with the founding, which the id names
    assert invite.certificate == made().certificate
    assert invite.hub_key != HUB.public


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link[:-1],
        lambda link: link + "A",
        lambda link: link + "====",
        lambda link: link.replace("#1.", "#2."),
        lambda link: link.replace("#", "?"),
        lambda link: link.replace("/join", "/"),
        lambda link: link.partition("#1.")[0] + "#1.",
        lambda link: link.partition("#1.")[0] + "#1.\u00e9",
        lambda link: link.replace("#1.", "#1.*"),
        lambda link: link + "#" + "x" * 1_024,
        lambda link: "",
    ],
)
def test_a_damaged_link_is_refused(change: object) -> None:
    with pytest.raises(BadLink):
        parse_link(change(made().link), now_s=NOON_S)  # type: ignore[operator]


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example",
        "ftp://hub.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:secret@hub.example",
        "https://hub.example@evil.example",
        "https://hub.example/?a=b",
        "https://hub.example/a b",
        "https://hub.example/../x",
        "https://hub.example:99999",
        "https://hub.example:x",
        "https://",
        "https://h\u00fcb.example",
        "https://hub.example\\@evil.example",
        "https://[::1",
        "hub.example",
    ],
)
def test_another_address_than_a_plain_one_is_refused(url: str) -> None:
    with pytest.raises(BadLink):
        check_hub_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example",
        "https://Hub.example:8443/ring/watch/",
        "http://127.0.0.1:8099",
        "http://[::1]:80",
    ],
)
def test_a_plain_address_is_taken(url: str) -> None:
    assert check_hub_url(url) == url.rstrip("/").replace("Hub", "hub")


def test_plain_http_is_for_the_own_network_and_asked_for() -> None:
    assert parse_link(made("http://hub.local:8099").link, now_s=NOON_S, allow_http=True)
    with pytest.raises(BadLink):
        parse_link(made("http://hub.local:8099").link, now_s=NOON_S)


def test_a_certificate_has_its_fields_and_no_others() -> None:
    written = made().certificate.to_json()
    for changed in (written | {"x": 1}, written | {"replaces": {"member": HOOD}}, written | {"sig": ""}, []):
        with pytest.raises(BadField):
            Certificate.parse(changed)  # type: ignore[arg-type]
