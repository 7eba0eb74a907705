"""Kills a process that answers a request, at one line after the other: `kill_answers.py FOLDER STEP`.

A child per line: the kernel kills it there (SIGKILL), and what is on disk is then looked at by the parent.
The exit status is 1 where answer, files and log don't agree.
"""

import os
from pathlib import Path
import shutil
import signal
import sys
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from script.lib.core import load_core  # noqa: E402

load_core()

from ringwatch.footage import answer_states as states  # noqa: E402
from ringwatch.footage.answer_states import HAS_FILES, State  # noqa: E402
from tests.footage.answering import UNDO_S, Desk, arrival, receipt  # noqa: E402

WATCHED = ("footage/answers.py", "footage/audit.py")
SAID = ["answer_opened", "answer_prepared", "confirmed", "sending", "sent", "receipt"]
AFTER = {
    State.DRAFTED: 1,
    State.AWAITING_CONFIRMATION: 2,
    State.CONFIRMED: 3,
    State.SENDING: 4,
    State.SENT: 5,
    State.RECEIVED: 6,
}


def answer(folder: Path) -> None:
    """Go the whole way, as fast as it goes."""
    desk = Desk(folder)
    one = desk.confirmed((2_000,))
    desk.clock.now_s += UNDO_S
    one = desk.store.release(one.id, b"s" * 32)
    desk.store.sealed_file(one).write_bytes(b"sealed")
    one = desk.store.change(one.id, lambda found: states.packed(found, "5e" * 32, 6))
    one = desk.store.arrived(one.id, arrival(one))
    desk.store.receipted(one.id, receipt(one))
    desk.close()


def killed_at(folder: Path, wanted: int) -> bool:
    """Run it in a child that is killed at a line. Return whether it came that far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def look(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal seen
            if not frame.f_code.co_filename.endswith(WATCHED):
                return None
            if event == "line":
                seen += 1
                if seen == wanted:
                    os.kill(os.getpid(), signal.SIGKILL)
            return look

        sys.settrace(look)
        answer(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def agree(folder: Path) -> str:
    """Restart, and return what doesn't agree."""
    desk = Desk(folder)
    found = desk.store.all()
    said = [line.what for line in desk.log.all() if line.what != "log_repaired"]
    trouble = desk.log.verify(desk.log.head)
    wrong = ""
    if trouble is not None:
        wrong = f"the log: {trouble}"
    elif said != SAID[: AFTER[found[0].state] if found else 0]:
        wrong = f"state {found[0].state if found else None}, log {said}"
    elif found:
        [one] = found
        files = desk.store.preview_folder(one).exists()
        if one.state in HAS_FILES and not files:
            wrong = f"{one.state} without its files"
        if one.state not in HAS_FILES and files:
            wrong = f"{one.state} with its files"
        if (one.state in {State.SENT, State.RECEIVED}) != desk.store.own_copy(one).exists():
            wrong = f"{one.state}, own copy {desk.store.own_copy(one).exists()}"
        if one.state is not State.SENDING and list((folder / "outgoing").iterdir()):
            wrong = f"{one.state}, and something is to go out"
    desk.close()
    return wrong


def main() -> int:
    """Kill at each line that is a multiple of STEP."""
    base, step = Path(sys.argv[1]), int(sys.argv[2])
    count, wanted = 0, 1
    while True:
        folder = base / str(wanted)
        if not killed_at(folder, wanted):
            break
        if wrong := agree(folder):
            print(f"killed at line {wanted}: {wrong}")
            return 1
        shutil.rmtree(folder, ignore_errors=True)
        count, wanted = count + 1, wanted + step
    print(f"killed {count} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
