"""A real Home Assistant in a process of its own, from `.venv-hass`, for the demo and the tests.

`HassProcess` makes a config folder with Ringwatch in it, starts, stops, kills and restarts `hass`; what a
person does with it is in hass_client.py.
"""

from contextlib import suppress
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import time
from typing import Any, Self

from script.lib.core import ROOT

HASS_PYTHON = ROOT / ".venv-hass" / "bin" / "python"
START_S = 300.0  # the first start compiles everything, on a machine that may be busy
STOP_S = 20.0  # Home Assistant gives its integrations that long
RESTART_CODE = 100  # how hass says that somebody asked for a restart
# Without bytecode on disk every start compiles all of Home Assistant again, which takes as long as the start.
NOT_FOR_HASS = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}

# Ends Home Assistant properly when its standard input does: when who started it is gone, however it went.
LAUNCH = """
import os, signal, sys, threading
from homeassistant.__main__ import main
def follow():
    while os.read(0, 1):  # not through sys.stdin, whose lock would be held at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=follow, name="ends_with_parent", daemon=True).start()
sys.exit(main())
"""

CONFIGURATION = """\
homeassistant:
  name: {name}
  latitude: 40.0
  longitude: -75.0
  elevation: 0
  unit_system: metric
  country: US
  language: en
  currency: USD
  time_zone: {time_zone}
  internal_url: http://127.0.0.1:{port}
  media_dirs:
    local: {media}

automation: !include automations.yaml
config:
frontend:
history:
input_button:
  doorbell:
    name: Doorbell button
    icon: mdi:doorbell
logbook:
logger:
  default: warning
  logs:
    custom_components.ringwatch: info
    haffmpeg: critical  # there may be no ffmpeg program; only speech, which nobody set up here, needs it
media_source:
my:
stream:
sun:
system_health:
"""


class HassError(RuntimeError):
    """Home Assistant did not start, or refused something."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class HassProcess:
    """Home Assistant on 127.0.0.1, with a config folder that has Ringwatch in it."""

    def __init__(
        self, config: Path, *, port: int = 0, name: str = "Ringwatch demo", offline: bool = False
    ) -> None:
        """Fill the config folder unless it was filled before; `offline` means without installing anything."""
        self.config = config
        self.log = config / "hass.log"
        self.port = port or free_port()
        # What it will be started with; changes count from the next start on.
        self.environment = {k: v for k, v in os.environ.items() if k not in NOT_FOR_HASS}
        if offline:
            self.environment["UV_OFFLINE"] = "1"
        self._process: subprocess.Popen[bytes] | None = None
        _seed(config, self.port, name)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start, and wait until the frontend answers."""
        self.launch()
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self.exit_code() is None:
            if self.answers():
                return self
            time.sleep(0.2)
        code = self.exit_code()
        self.kill()
        why = f"ended with code {code}" if code is not None else f"did not answer within {START_S:.0f} s"
        raise HassError(f"Home Assistant {why}. The end of {self.log}:\n{self.log_tail()}")

    def launch(self) -> None:
        """Start without waiting."""
        if not HASS_PYTHON.exists():
            raise HassError("no .venv-hass: run script/bootstrap hass")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [HASS_PYTHON, "-P", "-c", LAUNCH, "--config", str(self.config)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.config,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for who started us, who then stops us
            )

    def answers(self) -> bool:
        """Whether the port accepts connections, which it does once the frontend is set up."""
        with socket.socket() as sock:
            sock.settimeout(1)
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._process.poll() if self._process else -1

    def log_tail(self, lines: int = 30) -> str:
        """Return the end of what it logged."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """Stop properly."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut does (`kill -9`)."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()

    def restart(self) -> Self:
        """Stop and start."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _seed(config: Path, port: int, name: str) -> None:
    """Write what a config folder needs: Ringwatch, a configuration, and the server's port."""
    storage = config / ".storage"
    for folder in (storage, config / "custom_components", config / "media"):
        folder.mkdir(parents=True, exist_ok=True)
    link = config / "custom_components" / "ringwatch"
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT / "custom_components" / "ringwatch", target_is_directory=True)
    configuration = CONFIGURATION.format(
        name=name, port=port, time_zone=_time_zone(), media=json.dumps(str(config / "media"))
    )
    (config / "configuration.yaml").write_text(configuration)
    automations = config / "automations.yaml"
    if not automations.exists():
        automations.write_text("[]\n")
    # Settings in YAML would hold for five minutes only, until somebody confirms them in the frontend.
    server = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    _store(storage, "http", 3, {"stable": server, "pending": None, "yaml_migration_done": True})
    if not (storage / "onboarding").exists():
        # All but the user, who is made through the interface; "core_config" would set up what needs internet.
        _store(storage, "onboarding", 4, {"done": ["core_config", "analytics", "integration"]})


def _store(storage: Path, key: str, version: int, data: dict[str, Any]) -> None:
    content = {"version": version, "minor_version": 1, "key": key, "data": data}
    (storage / key).write_text(json.dumps(content, indent=2))


def _time_zone() -> str:
    """Return this machine's time zone, so that the demo's clock agrees with the wall's."""
    zone = os.environ.get("TZ", "").removeprefix(":")
    if not zone:
        with suppress(OSError):
            zone = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    return zone if (Path("/usr/share/zoneinfo") / zone).is_file() else "UTC"
