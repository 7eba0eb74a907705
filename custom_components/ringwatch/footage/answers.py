"""The answers of this home: a database of their states, a folder of their files, the log of every change.

A change, and what the log is to say of it, are written in one transaction; then the log gets its line. If
power fails between the two, the line is written at the next start, once. While the log can't be written
nothing else can be changed, and nothing is sent.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import secrets
import shutil
import sqlite3
import threading
import time
from typing import Final

from ..neighborhood.canonical import Json
from ..neighborhood.delivery import Arrival, Receipt
from . import answer_states as states
from .answer_database import open_database, set_aside
from .answer_document import read, write
from .answer_states import (
    HAS_FILES,
    Answer,
    AnswerError,
    Note,
    Prepared,
    Selection,
    State,
    Step,
    WrongStateError,
)
from .audit import AuditLog, Line
from .parties import Identity, Recipient

LOG_TAIL: Final = 64  # lines that are looked through for the one that a kill may have left noted here


class UnknownAnswerError(AnswerError):
    """There is no such answer, or no such file of it."""


class AnswerStore:
    """The answers. For any thread; it blocks. Everything raises AnswerError, OSError and sqlite3.Error."""

    def __init__(self, folder: Path, log: AuditLog, now: Callable[[], float] = time.time) -> None:
        """Open or create it, and clear away what a kill left. Raise OSError or NewerAnswersError."""
        self.folder = folder
        self._log = log
        self._now = now
        self._lock = threading.RLock()
        for name in ("prepared", "outgoing", "sent"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._db = open_database(folder)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(f"the answers can't be opened: {error}") from error
            set_aside(folder, int(now()))
            self._db = open_database(folder)
            log.append("answers_lost")
        self._skip_logged()
        self.flush_log()
        self._sweep()

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._db.close()

    # ---- asking ------------------------------------------------------------------------------------

    def get(self, answer_id: str) -> Answer | None:
        """Return an answer."""
        found = self._select("WHERE id = ?", answer_id)
        return found[0] if found else None

    def all(self) -> tuple[Answer, ...]:
        """Return all of them, newest first."""
        return self._select("ORDER BY created_s DESC, id")

    def of_request(self, neighborhood: str, request: str) -> tuple[Answer, ...]:
        """Return the answers to a request, newest first."""
        where = "WHERE neighborhood = ? AND request = ? ORDER BY created_s DESC, id"
        return self._select(where, neighborhood, request)

    def living(self) -> tuple[Answer, ...]:
        """Return those that somebody or something still has to do with, oldest first."""
        over = ", ".join(f"'{state}'" for state in sorted(states.OVER))
        return self._select(f"WHERE state NOT IN ({over}) ORDER BY created_s, id")

    def declined(self, neighborhood: str, request: str) -> int | None:
        """Return when a request was declined, None if it wasn't."""
        with self._lock:
            row = self._db.execute(
                "SELECT time_s FROM declines WHERE neighborhood = ? AND request = ?", (neighborhood, request)
            ).fetchone()
        return int(row[0]) if row else None

    def preview_folder(self, answer: Answer) -> Path:
        """Return where the prepared files of this revision are to be written, or are."""
        return self.folder / "prepared" / answer.folder

    def preview_file(self, answer_id: str, file: str) -> Path:
        """Return a prepared file. Raise UnknownAnswerError, for whatever isn't one."""
        answer = self._answer(answer_id)
        if file not in answer.preview_files:
            raise UnknownAnswerError("unknown_answer", "no such file")
        return self.preview_folder(answer) / file

    def sealed_file(self, answer: Answer) -> Path:
        """Return where the encrypted package is before it is sent."""
        return self.folder / "outgoing" / f"{answer.id}.age"

    def own_copy(self, answer: Answer) -> Path:
        """Return where the encrypted package is kept once it was sent; it may have been deleted."""
        return self.folder / "sent" / f"{answer.id}.age"

    # ---- what people do ----------------------------------------------------------------------------

    def draft(
        self,
        neighborhood: str,
        request: str,
        selections: tuple[Selection, ...],
        identity: Identity = Identity(),  # noqa: B008  frozen
        by: str | None = None,
    ) -> Answer:
        """Begin an answer. Raise TooMuchError."""
        states.check_selections(selections)
        now_s, answer_id = int(self._now()), secrets.token_hex(16)
        answer = Answer(
            id=answer_id,
            neighborhood=neighborhood,
            request=request,
            selections=selections,
            identity=identity,
            created_s=now_s,
            changed_s=now_s,
            folder=f"{answer_id}-1",
        )
        facts: dict[str, Json] = {"answer": answer.id, "request": request, "by": by}
        with self._changing() as notes:
            self._db.execute(
                "DELETE FROM declines WHERE neighborhood = ? AND request = ?", (neighborhood, request)
            )
            self._put(answer)
            notes.append(Note("answer_opened", facts))
        return answer

    def edit(
        self,
        answer_id: str,
        selections: tuple[Selection, ...] | None = None,
        identity: Identity | None = None,
    ) -> Answer:
        """Change what is wanted: the prepared files are deleted, their confirmation is void."""
        return self.change(answer_id, lambda answer: states.edit(answer, selections, identity, self._s()))

    def prepared(
        self, answer_id: str, prepared: tuple[Prepared, ...], recipient: Recipient, revision: int
    ) -> Answer:
        """Take the files that were made for this revision into `preview_folder`."""
        return self.change(
            answer_id, lambda answer: states.make_ready(answer, prepared, recipient, revision, self._s())
        )

    def renew(self, answer_id: str, recipient: Recipient) -> Answer:
        """Offer a stale or failed answer again, for the agency as it is now."""
        return self.change(answer_id, lambda answer: states.renew(answer, recipient, self._s()))

    def confirm(self, answer_id: str, contents: str, by: str, undo_s: int) -> Answer:
        """Take a person's confirmation of exactly these contents."""
        return self.change(answer_id, lambda answer: states.confirm(answer, contents, by, undo_s, self._s()))

    def undo(self, answer_id: str, by: str) -> Answer:
        """Take a confirmation back, while the time for that runs."""
        return self.change(answer_id, lambda answer: states.undo(answer, by, self._s()))

    def withdraw(self, answer_id: str, by: str) -> Answer:
        """End an answer. One that is being sent is the sender's to withdraw."""
        return self.change(answer_id, lambda answer: states.withdraw(answer, by, self._s()))

    def delete(self, answer_id: str) -> None:
        """Forget an answer that is over; the log keeps what it says of it. Raise WrongStateError."""
        answer = self._answer(answer_id)
        if not answer.is_over:
            raise WrongStateError("wrong_state", f"an answer that is {answer.state}")
        with self._changing():
            self._db.execute("DELETE FROM answers WHERE id = ?", (answer_id,))
        self._clear_files(answer, gone=True)

    def decline(self, neighborhood: str, request: str, by: str) -> None:
        """Note that the owner doesn't want to answer. It is told to nobody."""
        with self._changing() as notes:
            self._db.execute(
                "INSERT OR REPLACE INTO declines VALUES (?, ?, ?)", (neighborhood, request, self._s())
            )
            notes.append(Note("declined", {"request": request, "by": by}))

    def undecline(self, neighborhood: str, request: str, by: str) -> None:
        """Forget that."""
        with self._changing() as notes:
            self._db.execute(
                "DELETE FROM declines WHERE neighborhood = ? AND request = ?", (neighborhood, request)
            )
            notes.append(Note("undeclined", {"request": request, "by": by}))

    def note(self, what: str, /, **facts: Json) -> Line:
        """Write a line of the log: what was seen, shown, held."""
        with self._lock:
            self.flush_log()
            return self._log.append(what, **facts)

    # ---- what the sender does ----------------------------------------------------------------------

    def release(self, answer_id: str, seed: bytes) -> Answer:
        """Begin to send."""
        return self.change(answer_id, lambda answer: states.release(answer, seed, self._s()))

    def arrived(self, answer_id: str, arrival: Arrival) -> Answer:
        """Note that it is there. The prepared files go; the encrypted package stays as the own copy."""
        return self.change(answer_id, lambda answer: states.arrived(answer, arrival, self._s()))

    def receipted(self, answer_id: str, receipt: Receipt) -> Answer:
        """Note what the agency says."""
        return self.change(answer_id, lambda answer: states.receipted(answer, receipt, self._s()))

    def stale(self, answer_id: str, code: str) -> Answer:
        """Have a person look again."""
        return self.change(answer_id, lambda answer: states.stale(answer, code, self._s()))

    def fail(self, answer_id: str, code: str) -> Answer:
        """Say that it can't be sent as it is."""
        return self.change(answer_id, lambda answer: states.fail(answer, code, self._s()))

    def change(self, answer_id: str, step: Callable[[Answer], Step]) -> Answer:
        """Make one step, on disk and in the log when this returns."""
        with self._changing() as notes:
            before = self._answer(answer_id)
            after, note = step(before)
            if after != before:
                self._put(after)
            if note is not None:
                notes.append(note)
        if after.folder != before.folder or after.state is not before.state:
            self._clear_files(before, after)
        return after

    # ---- inside ------------------------------------------------------------------------------------

    def flush_log(self) -> None:
        """Write what the log doesn't say yet. Raise OSError; then nothing else may go on."""
        with self._lock:
            rows = self._db.execute("SELECT seq, ref, what, facts FROM to_log ORDER BY seq").fetchall()
            for seq, ref, what, facts in rows:
                self._log.append(what, **json.loads(facts), ref=ref)
                self._db.execute("DELETE FROM to_log WHERE seq = ?", (seq,))

    @contextmanager
    def _changing(self) -> Iterator[list[Note]]:
        """Make a change and note it, both or neither."""
        with self._lock:
            self.flush_log()
            notes: list[Note] = []
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield notes
                for note in notes:
                    self._db.execute(
                        "INSERT INTO to_log (ref, what, facts) VALUES (?, ?, ?)",
                        (secrets.token_hex(8), note.what, json.dumps(dict(note.facts))),
                    )
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self.flush_log()

    def _skip_logged(self) -> None:
        """Forget lines that were written just before a kill."""
        written = {line.facts.get("ref") for line in self._log.lines(limit=LOG_TAIL)}
        for seq, ref in self._db.execute("SELECT seq, ref FROM to_log").fetchall():
            if ref in written:
                self._db.execute("DELETE FROM to_log WHERE seq = ?", (seq,))

    def _answer(self, answer_id: str) -> Answer:
        answer = self.get(answer_id)
        if answer is None:
            raise UnknownAnswerError("unknown_answer", "no such answer")
        return answer

    def _select(self, rest: str, *values: str) -> tuple[Answer, ...]:
        with self._lock:
            rows = self._db.execute(f"SELECT document FROM answers {rest}", values).fetchall()  # noqa: S608
        return tuple(read(document) for (document,) in rows)

    def _put(self, answer: Answer) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            (
                answer.id,
                answer.neighborhood,
                answer.request,
                answer.state.value,
                answer.created_s,
                write(answer),
            ),
        )

    def _s(self) -> int:
        return int(self._now())

    def _clear_files(self, before: Answer, after: Answer | None = None, *, gone: bool = False) -> None:
        """Delete what a change has left over."""
        if after is None or after.folder != before.folder or after.state not in HAS_FILES:
            shutil.rmtree(self.preview_folder(before), ignore_errors=True)
        if after is not None and after.state is State.SENT:
            self._keep_own_copy(after)
        elif after is None or after.state is not State.SENDING:
            self.sealed_file(before).unlink(missing_ok=True)
        if gone:
            self.own_copy(before).unlink(missing_ok=True)

    def _keep_own_copy(self, answer: Answer) -> None:
        sealed = self.sealed_file(answer)
        if sealed.exists():
            sealed.replace(self.own_copy(answer))

    def _sweep(self) -> None:
        """Clear away files that no answer has a use for."""
        answers = {answer.id: answer for answer in self.all()}
        folders = {answer.folder for answer in answers.values() if answer.state in HAS_FILES}
        for path in (self.folder / "prepared").iterdir():
            if path.name not in folders:
                shutil.rmtree(path, ignore_errors=True)
        for path in (self.folder / "outgoing").iterdir():
            answer = answers.get(path.stem) if path.suffix == ".age" else None
            if answer is not None and answer.state in {State.SENT, State.RECEIVED}:
                self._keep_own_copy(answer)
            elif answer is None or answer.state is not State.SENDING:
                path.unlink(missing_ok=True)
        for path in (self.folder / "sent").iterdir():
            if path.stem not in answers:
                path.unlink(missing_ok=True)
