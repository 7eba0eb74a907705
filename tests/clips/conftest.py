"""Houses for tests: made in a temporary folder, closed in the end. Some talk to servers on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .house import House

type MakeHouse = Callable[..., House]


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[MakeHouse]:
    """Return a way to make houses; the same folder makes the next one go on where the last ended."""
    houses: list[House] = []

    def make(*args: Any, folder: Path = tmp_path, **options: Any) -> House:
        house = House(folder, *args, **options)
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()
