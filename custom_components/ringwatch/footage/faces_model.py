"""The models that find faces: where they come from, whether they are the right ones, whether they can run.

They are not part of Ringwatch. The owner switches them on: then they are downloaded with their digests, or
taken from files that the owner gives. ncnn, which runs them, is installed then too; nothing else needs it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import aiohttp

from ..clips.storage import write_whole

REQUIREMENT: Final = "ncnn==1.0.20261020"  # the one runtime with wheels for Home Assistant OS and all others
DOWNLOAD_S: Final = 120.0  # 2 MB on a slow line
_ULTRAFACE: Final = (
    "https://raw.githubusercontent.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/"
    "dffdddda9794a50607cba8f318507a28c1c27cab/ncnn/data/version-RFB/"
)
_NANODET: Final = (
    "https://raw.githubusercontent.com/nihui/ncnn-assets/9489f876aebdaa846af3786f70ea5da6be198243/models/"
)


class FacesUnavailableError(Exception):
    """Faces can't be found here; `code` says why: no_ncnn, no_face_model."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class ModelError(Exception):
    """A model file can't be had; `code` says why: unreachable, too_large, wrong_file, missing_file."""

    def __init__(self, code: str, file: str) -> None:
        """Keep the code and the file's name."""
        super().__init__(f"{code}: {file}")
        self.code = code
        self.file = file


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: what it must be, and where it is."""

    name: str
    sha256: str
    size_bytes: int
    url: str


FACE_PARAM: Final = ModelFile(
    "RFB-320.param",
    "fbde20ba996bc549eb9eddb7a81720929934ce87b3662981c48ee142ed9bee62",
    10_237,
    _ULTRAFACE + "RFB-320.param",
)
FACE_BIN: Final = ModelFile(
    "RFB-320.bin",
    "4f2554426934e9623f0e25c0825c3a14e807277bdffba8ad69aa4881a935bf47",
    1_095_760,
    _ULTRAFACE + "RFB-320.bin",
)
PERSON_PARAM: Final = ModelFile(
    "nanodet_m.param",
    "8543dccd5604ded10d06bdb2b2f702f8f2f1dac09652c81750f21bf0a6e3f1a8",
    13_622,
    _NANODET + "nanodet_m.param",
)
PERSON_BIN: Final = ModelFile(
    "nanodet_m.bin",
    "8d7f846cfc340a3ef66389f174a66819709f7182b9d35788ee1506679caac65e",
    1_901_612,
    _NANODET + "nanodet_m.bin",
)
# UltraFace RFB-320 (MIT) finds faces, NanoDet-m (Apache-2.0) whole people, whose heads are hidden too.
FILES: Final = (FACE_PARAM, FACE_BIN, PERSON_PARAM, PERSON_BIN)


def check_faces(folder: Path) -> None:
    """Raise FacesUnavailableError if faces can't be found with the files of this folder. Blocks shortly."""
    if find_spec("ncnn") is None:
        raise FacesUnavailableError("no_ncnn")
    if any(not _is_right(folder / file.name, file) for file in FILES):
        raise FacesUnavailableError("no_face_model")


async def async_download(
    session: aiohttp.ClientSession, folder: Path, files: Sequence[ModelFile] = FILES
) -> None:
    """Download what is missing. Raise ModelError, or OSError where the disk doesn't do."""
    for file in files:
        if await asyncio.to_thread(_is_right, folder / file.name, file):
            continue
        data = await _async_fetch(session, file)
        await asyncio.to_thread(_keep, folder, file, data)


def take_files(source: Path, folder: Path, files: Sequence[ModelFile] = FILES) -> None:
    """Copy the files that the owner has put somewhere: all or none. Raise ModelError or OSError."""
    found: list[tuple[ModelFile, bytes]] = []
    for file in files:
        try:
            with (source / file.name).open("rb") as given:
                data = given.read(file.size_bytes + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ModelError("missing_file", file.name) from error
        _check(file, data)
        found.append((file, data))
    for file, data in found:
        _keep(folder, file, data)


def remove_files(folder: Path, files: Sequence[ModelFile] = FILES) -> None:
    """Delete the models."""
    for file in files:
        (folder / file.name).unlink(missing_ok=True)


async def _async_fetch(session: aiohttp.ClientSession, file: ModelFile) -> bytes:
    timeout = aiohttp.ClientTimeout(total=DOWNLOAD_S)
    data = bytearray()
    try:
        async with session.get(file.url, timeout=timeout, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ModelError("unreachable", file.name)
            async for chunk in answer.content.iter_any():
                data += chunk
                if len(data) > file.size_bytes:
                    raise ModelError("too_large", file.name)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelError("unreachable", file.name) from error
    _check(file, data)
    return bytes(data)


def _check(file: ModelFile, data: bytes | bytearray) -> None:
    if len(data) > file.size_bytes:
        raise ModelError("too_large", file.name)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ModelError("wrong_file", file.name)


def _keep(folder: Path, file: ModelFile, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / file.name, folder / f".{file.name}.part", data)


def _is_right(path: Path, file: ModelFile) -> bool:
    try:
        if path.stat().st_size != file.size_bytes:
            return False
        with path.open("rb") as found:
            return hashlib.file_digest(found, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
