"""script/bootstrap: quick when there is nothing to do, plain about what is missing when it can do nothing."""

from concurrent.futures import ThreadPoolExecutor
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib

import pytest

from script.lib.core import ROOT

SCRIPTS = [
    path
    for path in [*(ROOT / "script").iterdir(), *(ROOT / "script" / "lib").iterdir(), ROOT / ".ci" / "run"]
    if path.is_file() and path.suffix in {"", ".sh"}
]
# What the scripts use of a system, except what finds or installs a Python
TOOLS = "awk basename bash cat cut dirname find flock grep ln mkdir mv rm sed sha256sum sleep sort tail tr"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what bootstrap needs, in a folder with a space in its name."""
    folder = tmp_path / "a folder with space"
    (folder / "script" / "lib").mkdir(parents=True)
    for name in ("pyproject.toml", "uv.lock", "script/bootstrap"):
        shutil.copy(ROOT / name, folder / name)
    for path in (ROOT / "script" / "lib").glob("bootstrap_*.sh"):
        shutil.copy(path, folder / "script" / "lib")
    return folder


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """Return a PATH with a shell's usual tools and nothing that could install anything."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS.split():
        found = shutil.which(tool)
        assert found, f"{tool} is not on this machine"
        (folder / tool).symlink_to(found)
    return folder


def bootstrap(checkout: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(checkout / "script" / "bootstrap"), *arguments],
        env={"PATH": str(path), "HOME": str(checkout)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def uv(folder: Path, text: str) -> None:
    """Put a stand-in for uv on the PATH, of the right version."""
    program(folder, "uv", f'[ "$*" = --version ] && echo "uv {locked("uv")}" && exit\n{text}')


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_valid_bash(script: Path) -> None:
    if "python" in script.read_text().partition("\n")[0]:
        pytest.skip("a Python script: ruff and mypy look at it")
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_to_do_takes_less_than_a_second() -> None:
    command = [ROOT / "script" / "bootstrap", "dev"]
    subprocess.run(command, capture_output=True, check=True)
    began_s = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began_s < 1


def test_two_at_once_do_not_collide(checkout: Path, bare_machine: Path) -> None:
    """The second waits for the first, and then finds everything done."""
    make = 'mkdir -p "${@: -1}/bin"; ln -sf "$python" "${@: -1}/bin/python"'
    uv(
        bare_machine,
        f"""
        python={shlex.quote(sys.executable)}
        case $1 in
            python) echo "$python" ;;
            venv) {make} ;;
            sync) echo begin >>"$HOME/log"; sleep 0.5; echo end >>"$HOME/log" ;;
        esac""",
    )
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: bootstrap(checkout, bare_machine), range(2)))
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    assert (checkout / "log").read_text().split() == ["begin", "end"]


def test_a_linked_environment_is_left_as_it_is(checkout: Path, bare_machine: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "another checkout's"
    theirs.mkdir()
    (theirs / ".ringwatch").write_text("made there")
    (checkout / ".venv").symlink_to(theirs)
    done = bootstrap(checkout, bare_machine)  # which could not make one here
    assert (done.returncode, done.stderr) == (0, "")
    assert [(path.name, path.read_text()) for path in theirs.iterdir()] == [(".ringwatch", "made there")]


def test_without_python_or_uv_it_says_what_to_install(checkout: Path, bare_machine: Path) -> None:
    for python in ("python3", "uv"):
        program(bare_machine, python, "exit 1")
    # /usr/bin/python3 is tried as well, so this machine's own must not be able to install anything either
    done = subprocess.run(
        ["bash", str(checkout / "script" / "bootstrap")],
        env={
            "PATH": str(bare_machine),
            "HOME": str(checkout),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(checkout),
            "PIP_CONFIG_FILE": os.devnull,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "error: uv could not be installed" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_without_any_python_3_14_it_says_what_to_do(checkout: Path, bare_machine: Path) -> None:
    uv(bare_machine, 'echo "cannot reach the mirror" >&2; exit 2')
    program(bare_machine, "timeout", 'shift; "$@"')
    done = bootstrap(checkout, bare_machine)
    assert done.returncode == 1
    assert "cannot reach the mirror" in done.stderr
    assert "this is not a Debian machine" in done.stderr
    assert "error: no Python 3.14.2 or newer" in done.stderr
    assert "RINGWATCH_DEBIAN_MIRROR" in done.stderr
    assert not (checkout / ".tools" / "forky").exists()


def test_another_word_than_a_mode_is_refused(checkout: Path, bare_machine: Path) -> None:
    done = bootstrap(checkout, bare_machine, "everything")
    assert done.returncode == 1
    assert "'everything' is not one of dev, hass, all" in done.stderr


def test_an_environment_of_another_folder_is_made_anew(checkout: Path, bare_machine: Path) -> None:
    """A virtual environment that was moved with its folder does not work any more."""
    uv(bare_machine, "exit 3")
    program(bare_machine, "timeout", 'shift; "$@"')
    (checkout / ".venv" / "bin").mkdir(parents=True)
    program(checkout / ".venv" / "bin", "python", "exit 0")
    shutil.copy(ROOT / ".venv" / ".ringwatch", checkout / ".venv" / ".ringwatch")
    assert bootstrap(checkout, bare_machine).returncode == 1


def test_the_lock_file_names_the_public_registry_only() -> None:
    text = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in text


def test_both_home_assistants_are_locked() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert {p["version"] for p in packages if p["name"] == "homeassistant"} == {"2026.10.4", "2026.11.0"}


def locked(name: str) -> str:
    """Return the newest version of a package in the lock file."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return max(
        (p["version"] for p in packages if p["name"] == name),
        key=lambda version: [int(n) for n in version.split(".")],
    )
