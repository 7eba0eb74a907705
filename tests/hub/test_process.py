"""The hub as a process: started from its file, its configuration, TLS, signals, what it imports and opens."""

import ast
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
import json
from pathlib import Path
import signal
import ssl
import subprocess
import sys
import time
from typing import Any

import pytest
import trustme

from ringwatch.hub.config import Config, ConfigError
from script.lib.core import ROOT
from script.lib.hub_client import PROGRAM, HubProcess, Street, found, join, post

from .conftest import MakeStreet

HUB = ROOT / "custom_components/ringwatch/hub"
KEY = "ab" * 32


def test_it_starts_from_a_copy_outside_any_package_path(tmp_path: Path) -> None:
    """As in Home Assistant, whose config folder is on no path; and nothing of Home Assistant is imported."""
    import shutil

    copy = tmp_path / "config/custom_components/ringwatch"
    shutil.copytree(HUB.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__init__.py").write_text("raise SystemExit('the integration was imported')")
    code = (
        "import atexit,runpy,sys;"
        "sys.argv=['hub','--data',sys.argv[1],'--port','0','--listen','127.0.0.1'];"
        "theirs=lambda:[name for name in sys.modules if name.startswith('homeassistant')];"
        "atexit.register(lambda:sys.stderr.write(str(theirs())));"
        f"runpy.run_path({str(copy / 'hub/__main__.py')!r},run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
    )  # fmt: skip
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"] is True
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert log.endswith("[]"), log
    assert process.returncode == 0
    assert (tmp_path / "data/hub.key").stat().st_mode & 0o777 == 0o600


def test_script_hub_runs_the_same_program(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(ROOT / "script/hub"), "--data", str(tmp_path / "data"), "--port", "0", "--host", KEY],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"] is True
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    process.stdout.close()


def test_it_ends_with_its_standard_input(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, ["--until-stdin-closes"]).start()
    assert hub.process is not None
    assert hub.process.stdin is not None
    hub.process.stdin.close()
    assert hub.process.wait(10) == 0
    assert hub.process.stdout is not None
    hub.process.stdout.close()


def test_its_key_stays_and_what_it_keeps_too(tmp_path: Path) -> None:
    street = found(HubProcess(tmp_path))
    key = street.hub.key
    robin = join(street, "Robin")
    robin.post(post())
    assert street.hub.stop() == 0
    street.hub.start()
    assert street.hub.key == key
    assert robin.call("GET", f"/posts/{robin.tip}").status == 200
    assert robin.post(post()).status == 201
    assert street.hub.stop() == 0


def exit_status(hub: HubProcess) -> int:
    with pytest.raises(RuntimeError, match="no hub") as error:
        hub.start()
    return int(str(error.value).partition(": ")[2].partition(",")[0])


def test_its_exit_status_says_what_is_wrong(tmp_path: Path, street: Street) -> None:
    (tmp_path / "file").write_text("x")
    bad_key, bad_database = HubProcess(tmp_path / "e"), HubProcess(tmp_path / "f")
    bad_key.data.mkdir(parents=True)
    (bad_key.data / "hub.key").write_text("not a key")
    (bad_database.data / KEY).mkdir(parents=True)
    (bad_database.data / KEY / "hub.db").write_bytes(b"this is no database" * 100)
    wrong = {
        HubProcess(tmp_path / "a", colour="blue"): 2,
        HubProcess(tmp_path / "b", port=street.hub.port): 3,
        HubProcess(tmp_path / "c", data=str(street.hub.data)): 4,
        HubProcess(tmp_path / "d", data=str(tmp_path / "file")): 4,
        bad_key: 5,
        bad_database: 5,
        HubProcess(tmp_path / "g", certificate="/no/file", private_key="/no/file"): 2,
    }
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(exit_status, wrong)) == list(wrong.values())


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"data": "relative"},
        {"data": "/x", "port": -1},
        {"data": "/x", "port": 70_000},
        {"data": "/x", "port": True},
        {"data": "/x", "port": "1"},
        {"data": "/x", "listen": "::1"},
        {"data": "/x", "hosts": ["abc"]},
        {"data": "/x", "trusted_proxies": ["10.0.0.1/8"]},
        {"data": "/x", "certificate": "/c"},
        {"data": "/x", "source": "/y"},
    ],
)
def test_a_wrong_configuration(value: Any) -> None:
    with pytest.raises(ConfigError):
        Config.parse(value)


def test_tls_and_a_renewed_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    first, second = authority.issue_cert("localhost"), authority.issue_cert("localhost")
    certificate, private_key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install(one: Any) -> None:
        certificate.write_bytes(b"".join(blob.bytes() for blob in one.cert_chain_pems))
        private_key.write_bytes(one.private_key_pem.bytes())

    install(first)
    hub = HubProcess(tmp_path, certificate=str(certificate), private_key=str(private_key))
    hub.tls = ssl.create_default_context()
    authority.configure_trust(hub.tls)
    street = found(hub)
    try:
        robin = join(street, "Robin")
        assert robin.post(post()).status == 201
        serial = _serial(hub)
        install(second)
        assert hub.process is not None
        hub.process.send_signal(signal.SIGHUP)
        _until(lambda: _serial(hub) != serial)
        certificate.write_text("broken")
        hub.process.send_signal(signal.SIGHUP)
        _until(lambda: "private key can't be read" in hub.log.read_text())
        assert robin.call("GET", "/log").status == 200
        # half a handshake costs one place for ten seconds, not more
        import socket

        with socket.create_connection(("127.0.0.1", hub.port)) as half:
            half.settimeout(15)
            began_s = time.monotonic()
            assert half.recv(10) == b""
            assert time.monotonic() - began_s < 12
        hub.tls = None
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            hub.request("GET", "/health")
    finally:
        hub.stop()


def _serial(hub: HubProcess) -> str:
    import socket

    assert hub.tls is not None
    with (
        socket.create_connection(("127.0.0.1", hub.port)) as plain,
        hub.tls.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        found_ = secure.getpeercert()
        assert found_ is not None
        return str(found_["serialNumber"])


def _until(done: Any, within_s: float = 5.0) -> None:
    end_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_the_configuration_is_read_again(make_street: MakeStreet, tmp_path: Path) -> None:
    street = make_street()
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><title>Elm Street</title><style>b{color:red}</style><script>alert(1)</script>"
    )
    assert street.hub.request("GET", "/join").status == 404
    street.hub.settings["page"] = str(page)
    street.hub.config.write_text(json.dumps(street.hub.settings))
    assert street.hub.process is not None
    street.hub.process.send_signal(signal.SIGHUP)
    _until(lambda: street.hub.request("GET", "/join").status == 200)
    answer = street.hub.request("GET", "/")
    assert answer.body == page.read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    street.hub.config.write_text("{")
    street.hub.process.send_signal(signal.SIGHUP)
    _until(lambda: "can't be read as JSON" in street.hub.log.read_text())
    assert street.hub.request("GET", "/join").status == 200


def test_stopping_lets_those_who_wait_go(make_street: MakeStreet) -> None:
    street = make_street()
    robin = join(street, "Robin")
    newest = robin.call("GET", "").json["position"]["number"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(robin.call, "GET", f"/records?after={newest}&wait=50")
        time.sleep(0.3)
        began_s = time.monotonic()
        assert street.hub.stop() == 0
        assert time.monotonic() - began_s < 3
        assert waiting.result(5).status == 200


def test_the_hub_opens_no_addresses() -> None:
    """No client of any kind is imported: there is nothing that a URL of somebody else could be given to."""
    clients = {
        "aiohttp.client", "ClientSession", "urllib", "http.client", "httpx", "ftplib", "smtplib",
        "open_connection", "open_unix_connection", "create_connection", "urlopen", "getaddrinfo",
    }  # fmt: skip
    for path in HUB.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names |= {node.module or "", *(alias.name for alias in node.names)}
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
        assert not names & clients, path.name


def test_a_running_hub_has_no_connection_of_its_own(street: Street) -> None:
    robin = join(street, "Outward")
    robin.post(post("See http://127.0.0.1:9/ and file:///etc/passwd", "https://169.254.169.254/latest"))
    assert street.hub.process is not None
    pid = street.hub.process.pid
    inodes = {
        target.partition("[")[2].rstrip("]")
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if (target := _link(entry)).startswith("socket:")
    }
    remote = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            local_port, state = int(columns[1].rpartition(":")[2], 16), columns[3]
            if columns[9] in inodes and state != "0A" and local_port != street.hub.port:
                remote.append(line)
    assert remote == []


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_the_program_is_there() -> None:
    assert PROGRAM.exists()
