"""Models come from where the owner wants them, are what they must be, or are not used."""

from dataclasses import replace
import hashlib
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.ringwatch.footage import faces_model
from custom_components.ringwatch.footage.faces_model import (
    FILES,
    FacesUnavailableError,
    ModelError,
    ModelFile,
    async_download,
    check_faces,
    remove_files,
    take_files,
)

PARAM, WEIGHTS = b"a model's layers", bytes(range(256)) * 8


def files(url: str = "http://nowhere.invalid") -> tuple[ModelFile, ...]:
    """Return two small files as if they were a model's."""
    return tuple(
        ModelFile(name, hashlib.sha256(data).hexdigest(), len(data), f"{url}/{name}")
        for name, data in (("small.param", PARAM), ("small.bin", WEIGHTS))
    )


@pytest.fixture
async def source(socket_enabled: None) -> TestServer:
    """Serve the files, and what goes wrong with such servers."""

    async def give(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        match request.match_info["how"]:
            case "right":
                return web.Response(body=PARAM if name.endswith("param") else WEIGHTS)
            case "altered":
                return web.Response(body=b"A" + (PARAM if name.endswith("param") else WEIGHTS)[1:])
            case "elsewhere":
                raise web.HTTPFound(f"/right/{name}")
            case "endless":
                answer = web.StreamResponse()
                await answer.prepare(request)
                for _ in range(1000):
                    await answer.write(bytes(4096))
                return answer
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{how}/{name}", give)
    server = TestServer(app)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()


async def test_what_is_downloaded_is_what_it_must_be(source: TestServer, tmp_path: Path) -> None:
    wanted = files(str(source.make_url("/right")))
    async with aiohttp.ClientSession() as session:
        await async_download(session, tmp_path / "models", wanted)
    assert (tmp_path / "models" / "small.param").read_bytes() == PARAM
    assert (tmp_path / "models" / "small.bin").read_bytes() == WEIGHTS
    assert len(list((tmp_path / "models").iterdir())) == 2
    # What is there already is not fetched again.
    async with aiohttp.ClientSession() as session:
        await async_download(session, tmp_path / "models", files())
        (tmp_path / "models" / "small.bin").write_bytes(b"damaged")
        await async_download(session, tmp_path / "models", wanted)
    assert (tmp_path / "models" / "small.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("altered", "wrong_file"),
        ("elsewhere", "unreachable"),
        ("endless", "too_large"),
        ("missing", "unreachable"),
    ],
)
async def test_what_is_not_the_model_is_not_kept(
    source: TestServer, tmp_path: Path, how: str, code: str
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ModelError) as caught:
            await async_download(session, tmp_path / "models", files(str(source.make_url(f"/{how}"))))
    assert (caught.value.code, caught.value.file) == (code, "small.param")
    assert not (tmp_path / "models").exists()


async def test_a_server_that_is_not_there_is_told(tmp_path: Path, socket_enabled: None) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ModelError, match="unreachable"):
            await async_download(session, tmp_path, files("http://127.0.0.1:9"))


def test_files_of_the_owner_are_taken_if_they_are_right(tmp_path: Path) -> None:
    given, kept = tmp_path / "given", tmp_path / "kept"
    given.mkdir()
    with pytest.raises(ModelError, match=r"missing_file: small\.param"):
        take_files(given, kept, files())
    (given / "small.param").write_bytes(PARAM)
    (given / "small.bin").write_bytes(WEIGHTS + b"more")
    with pytest.raises(ModelError, match=r"too_large: small\.bin"):
        take_files(given, kept, files())
    (given / "small.bin").write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelError, match=r"wrong_file: small\.bin"):
        take_files(given, kept, files())
    assert not kept.exists()  # all or none
    (given / "small.bin").write_bytes(WEIGHTS)
    take_files(given, kept, files())
    assert sorted(path.name for path in kept.iterdir()) == ["small.bin", "small.param"]
    remove_files(kept, files())
    assert not list(kept.iterdir())


def test_without_ncnn_or_models_it_is_said_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FacesUnavailableError) as caught:
        check_faces(tmp_path)
    assert caught.value.code == "no_face_model"
    monkeypatch.setattr(faces_model, "FILES", files())
    take_or_write(tmp_path)
    check_faces(tmp_path)
    (tmp_path / "small.bin").write_bytes(WEIGHTS[::-1])  # as long, and something else
    with pytest.raises(FacesUnavailableError, match="no_face_model"):
        check_faces(tmp_path)
    monkeypatch.setattr(faces_model, "find_spec", lambda name: None)
    with pytest.raises(FacesUnavailableError, match="no_ncnn"):
        check_faces(tmp_path)


def take_or_write(folder: Path) -> None:
    """Put the small files there."""
    (folder / "small.param").write_bytes(PARAM)
    (folder / "small.bin").write_bytes(WEIGHTS)


def test_the_models_are_pinned_to_commits_and_small() -> None:
    assert sum(file.size_bytes for file in FILES) < 4_000_000
    for file in FILES:
        assert file.url.startswith("https://raw.githubusercontent.com/")
        assert file.url.endswith(f"/{file.name}")
        assert len(file.url.split("/")[5]) == 40  # a commit, not a branch
        assert replace(file, sha256=file.sha256.lower()) == file
