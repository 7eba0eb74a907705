"""The media folder: a file that has its name is whole."""

import hashlib
from pathlib import Path

import pytest

from custom_components.ringwatch.neighborhood.media_folder import MediaFolder, WrongMediaError
from custom_components.ringwatch.neighborhood.violations import BadField

DATA = b"a clip" * 1_000
DIGEST = hashlib.sha256(DATA).hexdigest()


def test_a_file_comes_in_parts_and_is_checked(tmp_path: Path) -> None:
    folder = MediaFolder(tmp_path)
    part = folder.part(DIGEST)
    part.write_bytes(DATA[:1_000])
    assert not folder.has(DIGEST)
    with part.open("ab") as file:
        file.write(DATA[1_000:])
    assert folder.commit(DIGEST, len(DATA)).read_bytes() == DATA
    assert folder.has(DIGEST)
    assert list(folder.digests()) == [DIGEST]
    folder.delete(DIGEST)
    folder.delete(DIGEST)
    assert not folder.has(DIGEST)


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b"x" * len(DATA)])
def test_another_file_is_refused_and_deleted(tmp_path: Path, data: bytes) -> None:
    folder = MediaFolder(tmp_path)
    folder.part(DIGEST).write_bytes(data)
    with pytest.raises(WrongMediaError):
        folder.commit(DIGEST, len(DATA))
    assert not folder.part(DIGEST).exists()
    assert not folder.has(DIGEST)


def test_a_file_of_ones_own_is_copied(tmp_path: Path) -> None:
    folder = MediaFolder(tmp_path / "media")
    (tmp_path / "clip.mp4").write_bytes(DATA)
    assert folder.add(tmp_path / "clip.mp4") == folder.add(tmp_path / "clip.mp4") == DIGEST
    assert folder.path(DIGEST).read_bytes() == DATA


@pytest.mark.parametrize("digest", ["../" + DIGEST[3:], DIGEST.upper(), "", "a/b", DIGEST + "\n", "." * 64])
def test_only_a_digest_is_a_name(tmp_path: Path, digest: str) -> None:
    folder = MediaFolder(tmp_path)
    for look in (folder.path, folder.part, folder.has, folder.delete):
        with pytest.raises(BadField):
            look(digest)  # type: ignore[operator]
