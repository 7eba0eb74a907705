"""What all entities of a neighborhood share, and how a platform's entities follow those that there are."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, MODEL_NEIGHBORHOOD, SUBENTRY_NEIGHBORHOOD, TITLE
from .coordinator import RingwatchConfigEntry
from .neighborhood_home import Neighborhood
from .neighborhoods import Neighborhoods


class NeighborhoodEntity(Entity):
    """An entity of one neighborhood; nobody polls it."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, neighborhoods: Neighborhoods, subentry: ConfigSubentry, key: str) -> None:
        """Belong to the neighborhood's device."""
        self._neighborhoods = neighborhoods
        self._subentry_id = subentry.subentry_id
        self._attr_unique_id = f"{subentry.subentry_id}_{key}"
        self._attr_device_info = device_info(subentry)

    @property
    def neighborhood(self) -> Neighborhood | None:
        """The neighborhood while it runs."""
        return self._neighborhoods.get(self._subentry_id)

    @property
    @override
    def available(self) -> bool:
        return self.neighborhood is not None

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._neighborhoods.async_listen(self._subentry_id, self._updated))

    @callback
    def _updated(self) -> None:
        self.async_write_ha_state()


def device_info(subentry: ConfigSubentry) -> DeviceInfo:
    """Return the device that a neighborhood is."""
    return DeviceInfo(
        identifiers={(DOMAIN, subentry.subentry_id)},
        name=subentry.title,
        manufacturer=TITLE,
        model=MODEL_NEIGHBORHOOD,
        entry_type=DeviceEntryType.SERVICE,
    )


def async_follow_neighborhoods(
    entry: RingwatchConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    build: Callable[[Neighborhoods, ConfigSubentry], Iterable[Entity]],
) -> None:
    """Add what `build` makes for each neighborhood now, and for each that comes later."""
    neighborhoods: Neighborhoods = entry.runtime_data.neighborhoods
    added: set[str] = set()

    @callback
    def sync() -> None:
        present = {
            subentry.subentry_id: subentry for subentry in entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
        }
        added.intersection_update(present)  # Home Assistant removes the entities of a removed subentry
        for subentry_id, subentry in present.items():
            if subentry_id not in added:
                added.add(subentry_id)
                async_add_entities(build(neighborhoods, subentry), config_subentry_id=subentry_id)

    neighborhoods.platforms.append(sync)
    sync()
