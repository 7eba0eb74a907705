"""The audit log hangs together, survives what happens to disks, and reads well."""

from collections.abc import Iterator
import json
from pathlib import Path
import resource
import subprocess
import sys
import textwrap

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from ringwatch.footage.audit import FIRST, NAME, Anchor, AuditLog, Trouble
from ringwatch.footage.audit_text import SENTENCES, export, in_words
from ringwatch.footage.served import ServedRegister

from .answering import Clock
from .giving import NOON_S

ROOT = Path(__file__).parents[2]
AT = "2026-05-28 20:26:40"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    log = AuditLog(tmp_path, Clock())
    yield log
    log.close()


def fill(log: AuditLog, count: int = 6) -> None:
    for number in range(count):
        log.append(
            "request_seen", request=f"{number:064x}", agency="Chandler Police Department", matches=number
        )


def rewrite(log: AuditLog, lines: list[bytes]) -> None:
    """Meddle with the file, behind the log's back."""
    log._path.write_bytes(b"".join(lines))


def written(log: AuditLog) -> list[bytes]:
    return log._path.read_bytes().splitlines(keepends=True)


def test_lines_hang_together_over_restarts(tmp_path: Path, log: AuditLog) -> None:
    fill(log, 3)
    log.close()
    again = AuditLog(tmp_path, Clock())
    fill(again, 3)
    lines = list(again.all())
    assert [line.n for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line.previous for line in lines] == [FIRST, *(line.hash for line in lines[:-1])]
    assert again.verify(again.head) is None
    again.close()
    log.__init__(tmp_path, Clock())  # type: ignore[misc]  # for the fixture to close


def test_pages_are_newest_first(log: AuditLog) -> None:
    fill(log, 7)
    assert [line.n for line in log.lines(limit=3)] == [7, 6, 5]
    assert [line.n for line in log.lines(before=5, limit=3)] == [4, 3, 2]
    assert [line.n for line in log.lines(before=2)] == [1]
    assert log.lines(before=1) == ()


def test_a_changed_line_shows(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    lines[2] = lines[2].replace(b'"matches":2', b'"matches":0')
    rewrite(log, lines)
    assert log.verify() == Trouble(3, "altered")


def test_a_changed_line_with_a_hash_to_fit_shows_at_the_next(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    value = json.loads(lines[2])
    forged = type(log.lines()[0]).make(3, value["time"], "request_seen", {"matches": 0}, value["previous"])
    lines[2] = json.dumps(forged.to_json(), sort_keys=True, separators=(",", ":")).encode() + b"\n"
    rewrite(log, lines)
    assert log.verify() == Trouble(4, "altered")


def test_a_removed_line_shows(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    del lines[2]
    rewrite(log, lines)
    assert log.verify() == Trouble(3, "missing")


def test_lines_that_changed_places_show(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    lines[2], lines[3] = lines[3], lines[2]
    rewrite(log, lines)
    assert log.verify() == Trouble(3, "missing")


def test_a_line_twice_shows(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    rewrite(log, [*lines[:3], lines[2], *lines[3:]])
    assert log.verify() == Trouble(4, "altered")


def test_a_cut_end_shows_against_the_anchor(log: AuditLog) -> None:
    fill(log)
    rewrite(log, written(log)[:4])
    assert log.verify() is None  # what is there hangs together
    assert log.verify(log.head) == Trouble(5, "truncated")


def test_a_log_that_was_written_anew_shows_against_the_anchor(tmp_path: Path, log: AuditLog) -> None:
    fill(log)
    anchor = log.head
    (tmp_path / "new").mkdir()
    other = AuditLog(tmp_path / "new", Clock())
    for _ in range(8):
        other.append("request_seen", request="another past")
    assert other.verify() is None
    assert other.verify(anchor) == Trouble(6, "altered")
    other.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_no_byte_can_be_changed(log: AuditLog, at: int, byte: int) -> None:
    if not log.head.n:
        fill(log)
    good = b"".join(written(log))
    at %= len(good)
    if good[at] == byte:
        return
    rewrite(log, [good[:at], bytes([byte]), good[at + 1 :]])
    try:
        assert log.verify(log.head) is not None
    finally:
        rewrite(log, [good])


def test_a_line_that_a_power_cut_left_unfinished_is_cut_off_and_noted(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, Clock())
    fill(log, 2)
    log.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"facts":{"request":"00')
    again = AuditLog(tmp_path, Clock())
    assert [line.what for line in again.all()] == ["request_seen", "request_seen", "log_repaired"]
    assert again.verify() is None
    again.close()


def test_a_damaged_last_line_stays_and_shows(tmp_path: Path) -> None:
    """What looks like a line isn't taken away: it is evidence."""
    log = AuditLog(tmp_path, Clock())
    fill(log, 2)
    log.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"\0\0\0\n")
    again = AuditLog(tmp_path, Clock())
    again.append("request_seen", request="1")
    assert again.verify() == Trouble(3, "unreadable")
    assert again.head.n == 4
    again.close()


def test_a_disk_that_is_full_leaves_whole_lines(tmp_path: Path) -> None:
    """In a process that may write 3,000 bytes into a file: some lines, then OSError, and nothing half."""
    script = f"""
        import pathlib, resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sys.path.insert(0, {str(ROOT)!r})
        from script.lib.core import load_core
        load_core()
        from ringwatch.footage.audit import AuditLog
        log = AuditLog(pathlib.Path({str(tmp_path)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))
        count = 0
        try:
            while True:
                log.append("request_seen", request="0" * 64)
                count += 1
        except OSError:
            print(count, log.head.n)
    """
    assert resource.RLIMIT_FSIZE
    command = [sys.executable, "-c", textwrap.dedent(script)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, head = map(int, out.split())
    assert count == head > 3
    log = AuditLog(tmp_path, Clock())
    assert log.verify() is None
    assert log.head.n == count
    log.close()


def test_the_owner_of_the_anchor_is_told_of_each_head(tmp_path: Path) -> None:
    heads: list[Anchor] = []
    log = AuditLog(tmp_path, Clock(), heads.append)
    fill(log, 3)
    assert [head.n for head in heads] == [1, 2, 3]
    assert heads[-1] == log.head
    log.close()


def test_the_file_is_the_owners_alone(log: AuditLog) -> None:
    assert log._path.stat().st_mode & 0o777 == 0o600


def test_it_reads_well(log: AuditLog) -> None:
    log.append("request_seen", request="4d" * 32, agency="Chandler Police Department", matches=2)
    log.append(
        "confirmed",
        answer="a1",
        request="r1",
        agency="Chandler Police Department",
        by="Rosa",
        release=NOON_S,
    )
    text = export(log, "text", "Rosa", log.head)
    assert text.splitlines() == [
        "Ringwatch: what was asked, shown, confirmed, sent and withdrawn. Times are UTC.",
        f"3 lines; nothing in it was changed. The last line's hash is {log.head.hash}.",
        "",
        f"{AT}  #1  Footage request {'4d' * 32} came from Chandler Police Department.  [matches=2]",
        f"{AT}  #2  Rosa confirmed answer a1 to request r1 of Chandler Police Department.  [release={AT}]",
        f"{AT}  #3  Rosa exported the audit log as text.",
    ]


def test_nobody_can_write_a_line_into_the_export(log: AuditLog) -> None:
    log.append(
        "shown_at_door", by="Rosa", clip="c", officer="X\n2026-01-01 00:00:00  #9  Sent. \u202e {by} \x1b[2J"
    )
    [line] = export(log, "text", "Rosa").splitlines()[3:-1]
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert "{by}" in line


def test_an_export_says_where_the_log_was_changed(log: AuditLog) -> None:
    fill(log)
    lines = written(log)
    rewrite(log, [*lines[:2], *lines[3:]])
    assert "line 3 is missing" in export(log, "text", "Rosa")
    found = json.loads(export(log, "json", "Rosa"))
    assert found["trouble"] == {"line": 3, "code": "missing"}


def test_others_can_check_the_json_export(log: AuditLog) -> None:
    """As its documentation says, with Python's own JSON and SHA-256."""
    import hashlib

    fill(log, 3)
    found = json.loads(export(log, "json", "Rosa"))
    previous = "0" * 64
    for line in found["lines"]:
        hashed = line.pop("hash")
        assert line["previous"] == previous
        canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(canonical.encode()).hexdigest()
        assert previous == hashed
    assert found["head"]["hash"] == previous


@pytest.mark.parametrize("what", SENTENCES)
def test_each_sentence_can_be_said_without_its_facts(log: AuditLog, what: str) -> None:
    assert in_words(log.append(what)).count("\n") == 0


# ---- demands served on the home -----------------------------------------------------------------------


def test_a_warrant_is_entered_and_exported_and_both_are_logged(log: AuditLog) -> None:
    register = ServedRegister(log)
    register.add("warrant", "Maricopa County Superior Court", NOON_S, "Two clips", ("c1", "c2"), by="Rosa")
    [entry] = register.entries()
    assert (entry.kind, entry.authority, entry.clips) == (
        "warrant",
        "Maricopa County Superior Court",
        ("c1", "c2"),
    )
    text = register.export("text", "Rosa")
    assert "Rosa entered a warrant by Maricopa County Superior Court, served on 2026-05-28 20:26:40." in text
    assert json.loads(register.export("json", "Rosa"))[0]["facts"]["given"] == "Two clips"
    assert [line.what for line in log.all()] == ["demand_entered", "exported", "exported"]


def test_a_demand_that_is_none_is_refused(log: AuditLog) -> None:
    register = ServedRegister(log)
    with pytest.raises(ValueError, match="polite request"):
        register.add("polite request", "A court", NOON_S, "", by="Rosa")
    with pytest.raises(ValueError, match="authority"):
        register.add("warrant", "  ", NOON_S, "", by="Rosa")
    assert log.head.n == 0
