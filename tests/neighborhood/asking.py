"""What the tests of footage requests share: asking, releasing, looking, waiting."""

from bisect import bisect_left
from dataclasses import replace
import math
from typing import Any

from custom_components.ringwatch.neighborhood.apply import advance
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.geometry import area_m2
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.requests import (
    RequestItem,
    read_request,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import State, may_have_body
from custom_components.ringwatch.neighborhood.types import Type

from .agencies import Shelf, around, ask
from .street import Neighbor, Street, replay


def shown(street: Street, request: str, who: Neighbor | None = None) -> RequestItem:
    shelf = Shelf(street)
    found = read_request(shelf, request, shelf.who(who or street.host))
    assert found is not None
    return found


def status(street: Street, request: str) -> str:
    return shown(street, request).status.value


def release(street: Street, request: str) -> None:
    street.moderate(street.host, request, Action.RESTORE)


def released(street: Street, who: Neighbor, **changes: Any) -> str:
    request = ask(street, who, **changes)
    release(street, request)
    return request


def wait(street: Street, days: int, seconds: int = 0) -> None:
    street.now_s += days * DAY_S + seconds
    street.told += advance(street.state, street.now_s)


def may(street: Street, record_id: str, who: Neighbor | None) -> bool:
    return may_have_body(street.state, record_id, Shelf(street).who(who) if who else None)


def bare(street: Street, *types: Type) -> State:
    """Return what a reader knows to whom the hub gave no bodies of these types."""
    return replay(
        [Placed(one.entry, one.record.erased()) if one.record.type in types else one for one in street.placed]
    )


def record(street: Street, record_id: str) -> Any:
    return Shelf(street).record(record_id)


def with_area(m2: int) -> tuple[Place, ...]:
    """Return a square, one corner moved a little: as large as this, and less if that corner comes nearer."""
    north_west, *others = around(half_m=math.isqrt(m2) // 2 - 5)
    found = bisect_left(
        range(20_000),
        m2,
        key=lambda up: area_m2((replace(north_west, lat_e6=north_west.lat_e6 + up), *others)),
    )
    return (replace(north_west, lat_e6=north_west.lat_e6 + found), *others)


def smaller(area: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return it with that corner a microdegree nearer."""
    return (replace(area[0], lat_e6=area[0].lat_e6 - 1), *area[1:])
