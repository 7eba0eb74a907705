"""Addresses: taken apart, put together, checked; and nothing secret left in what may be shown."""

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.video import (
    InvalidUrl,
    SourceConfig,
    redact,
    split_credentials,
    validate_url,
    with_credentials,
)
from custom_components.ringwatch.video.url import host_and_port

SECRET = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=24)
HOSTS = st.sampled_from(["10.0.0.5", "camera", "camera.local:8554", "[fe80::1]:554", "192.168.1.20"])
PATHS = st.sampled_from(["", "/", "/stream1", "/cam/realmonitor?channel=1&subtype=0", "/live#1", "/a@b/c"])


@given(SECRET, SECRET, HOSTS, PATHS)
def test_what_is_put_in_comes_out(username: str, password: str, host: str, path: str) -> None:
    bare = f"rtsp://{host}{path}"
    assert split_credentials(with_credentials(bare, username, password)) == (bare, username, password)


@given(SECRET, SECRET, HOSTS, PATHS)
def test_nothing_but_the_host_is_shown(username: str, password: str, host: str, path: str) -> None:
    url = with_credentials(f"rtsp://{host}{path}", f"user{username}", f"secret{password}")
    shown = redact(f"error opening '{url}': no")
    assert "user" not in shown
    assert "secret" not in shown
    assert ("rtsp://…" if "@" in path else f"rtsp://{host}") in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://10.0.0.5/live", ("rtsp://10.0.0.5/live", "", "")),
        ("rtsp://admin@10.0.0.5/live", ("rtsp://10.0.0.5/live", "admin", "")),
        ("rtsp://admin:p%40ss@10.0.0.5/live", ("rtsp://10.0.0.5/live", "admin", "p@ss")),
        ("rtsp://admin:p@ss@10.0.0.5/live", ("rtsp://10.0.0.5/live", "admin", "p@ss")),
        ("rtsp://admin:p@ss/w#rd@10.0.0.5/live", ("rtsp://10.0.0.5/live", "admin", "p@ss/w#rd")),
        ("rtsp://admin:a/b@10.0.0.5:8554/live", ("rtsp://10.0.0.5:8554/live", "admin", "a/b")),
        ("rtsp://admin:12/34@camera.local/", ("rtsp://camera.local/", "admin", "12/34")),
        ("rtsp://camera:8554/user@home", ("rtsp://camera:8554/user@home", "", "")),
        ("http://10.0.0.5/x?mail=a@b.example", ("http://10.0.0.5/x?mail=a@b.example", "", "")),
        ("http://u:p@camera/x?mail=a@b.example", ("http://camera/x?mail=a@b.example", "u", "p")),
        ("rtsp://[fe80::1]:554/live", ("rtsp://[fe80::1]:554/live", "", "")),
        ("/media/front yard.mp4", ("/media/front yard.mp4", "", "")),
    ],
)
def test_pasted_addresses(url: str, expected: tuple[str, str, str]) -> None:
    assert split_credentials(url) == expected


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "empty"),
        ("10.0.0.5/live", "no scheme"),
        ("ftp://10.0.0.5/", "not supported"),
        ("file:///etc/passwd", "not supported"),
        ("rtsp://", "no valid host"),
        ("rtsp:///live", "no valid host"),
        ("rtsp://10.0.0.5:0/", "not a port"),
        ("rtsp://10.0.0.5:70000/", "not a port"),
        ("rtsp://10.0.0.5/a b", "space"),
        ("rtsp://10.0.0.5/a\nb", "control"),
        ("rtsp://10.0.0.5/" + "a" * 2048, "longer"),
    ],
)
def test_wrong_addresses_are_refused_with_a_reason(url: str, says: str) -> None:
    with pytest.raises(InvalidUrl, match=says):
        validate_url(url)


def test_good_addresses_are_taken() -> None:
    assert validate_url("  RTSP://10.0.0.5/Live ") == "rtsp://10.0.0.5/Live"
    assert validate_url("https://camera:8443/x?a=b") == "https://camera:8443/x?a=b"
    assert validate_url("/media/front yard.mp4", allow_files=True) == "/media/front yard.mp4"


def test_files_are_refused_unless_allowed() -> None:
    with pytest.raises(InvalidUrl):
        validate_url("/etc/passwd")


def test_ports() -> None:
    assert host_and_port("rtsps://[::1]/x") == ("::1", 322)
    assert host_and_port("http://camera:81/") == ("camera", 81)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://u:p@10.0.0.5:554/live failed", "rtsp://10.0.0.5:554/… failed"),
        ("rtsp://u:p@ss@10.0.0.5/live", "rtsp://10.0.0.5/…"),
        ("rtsp://u:p@ss/wo@rd@10.0.0.5/live", "rtsp://…"),
        ("rtsp://my.name:12/34@10.0.0.5/live", "rtsp://…"),
        ("rtsp://u:it's<a>secret@10.0.0.5/live", "rtsp://10.0.0.5/…"),
        ("http://10.0.0.5/flv?user=admin&password=x", "http://10.0.0.5/…"),
        ("rtsps://10.0.0.5:7441/STREAMKEY?enableSrtp", "rtsps://10.0.0.5:7441/…"),
        ("'rtsp://10.0.0.5', 'http://[::1]:80/a'", "'rtsp://10.0.0.5', 'http://[::1]:80/…'"),
        ("use rtsp:// or http://, please", "use rtsp:// or http://, please"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_configuration_does_not_show_its_secrets() -> None:
    config = SourceConfig("rtsp://u1:p1@10.0.0.5/key1", "u2", "p2")
    assert not [secret for secret in ("u1", "p1", "u2", "p2", "key1") if secret in repr(config)]
