"""What every test has.

The test plugin puts its own `testing_config` on the path, whose `custom_components` is a regular package and
would hide ours (a namespace package): whoever is imported first stays, so ours is imported here.
"""

import pytest

import custom_components.ringwatch  # noqa: F401

# Folders in the order in which they are begun: what takes long and mostly waits comes first.
FOLDERS = ("process", "video", "setup")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each file's tests in one worker, for their fixtures' sake, unless the file says otherwise."""
    for item in items:
        if not any(item.iter_markers("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=lambda item: _place(item.path.parent.name))


def _place(folder: str) -> int:
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
