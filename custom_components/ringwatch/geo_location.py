"""Posts and alerts on the map, at places that are snapped to about 200 m. They come and go with the posts."""

from typing import override

from homeassistant.components.geo_location import GeolocationEvent
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import UnitOfLength
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.location import distance

from .const import DOMAIN, SUBENTRY_NEIGHBORHOOD
from .coordinator import RingwatchConfigEntry
from .neighborhood.feed_items import FeedItem
from .neighborhood_answers import item_answer
from .neighborhoods import Neighborhoods

PARALLEL_UPDATES = 0

METERS_PER_KILOMETER = 1000.0


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Follow what is on the map of each neighborhood."""
    neighborhoods: Neighborhoods = entry.runtime_data.neighborhoods
    maps: dict[str, _Map] = {}

    @callback
    def sync() -> None:
        present = {one.subentry_id: one for one in entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)}
        for subentry_id in maps.keys() - present.keys():
            maps.pop(subentry_id).async_end()
        for subentry_id, subentry in present.items():
            if subentry_id not in maps:
                maps[subentry_id] = _Map(hass, entry, neighborhoods, subentry, async_add_entities)

    neighborhoods.platforms.append(sync)
    sync()


class _Map:
    """The entities of one neighborhood."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RingwatchConfigEntry,
        neighborhoods: Neighborhoods,
        subentry: ConfigSubentry,
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        self._hass = hass
        self._neighborhoods = neighborhoods
        self._subentry = subentry
        self._add = async_add_entities
        self._shown: dict[str, PostLocation] = {}
        self._unlisten = neighborhoods.async_listen(subentry.subentry_id, self._follow)
        self._follow()

    @callback
    def async_end(self) -> None:
        """The neighborhood was removed."""
        self._unlisten()
        for shown in self._shown.values():
            shown.async_end()

    @callback
    def _follow(self) -> None:
        running = self._neighborhoods.get(self._subentry.subentry_id)
        if running is None:
            for shown in self._shown.values():
                shown.async_show(None)
            return
        for item_id in self._shown.keys() - running.places.keys():
            self._shown.pop(item_id).async_end()
        new: list[PostLocation] = []
        for item_id, item in running.places.items():
            if item_id in self._shown:
                self._shown[item_id].async_show(item)
            else:
                new.append(PostLocation(self._hass, self._subentry.subentry_id, item))
                self._shown[item_id] = new[-1]
        if new:
            self._add(new, config_subentry_id=self._subentry.subentry_id)


class PostLocation(GeolocationEvent):
    """A post or an alert. Its state is how far away it is.

    It has no place in the registry, and its name is its category: the registry and the recorder keep ids
    and names for long after a post was withdrawn.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_source = DOMAIN
    _attr_unit_of_measurement = UnitOfLength.KILOMETERS
    _unrecorded_attributes = frozenset(
        {"id", "kind", "category", "title", "text", "author"}
        | {"posted", "expires", "valid_until", "picture", "clip"}
        | {"latitude", "longitude"}  # not even where: a withdrawn post leaves nothing behind
    )

    def __init__(self, hass: HomeAssistant, subentry_id: str, item: FeedItem) -> None:
        """Show a post."""
        self._config = hass.config
        self._is_added = self._has_ended = False
        self._subentry_id = subentry_id
        self._attr_translation_key = item.category
        self._take(item)

    def _take(self, item: FeedItem) -> None:
        if item.place is None:
            return
        latitude, longitude = item.place.lat_e6 / 1e6, item.place.lon_e6 / 1e6
        far_m = distance(self._config.latitude, self._config.longitude, latitude, longitude)
        self._attr_latitude, self._attr_longitude = latitude, longitude
        self._attr_distance = None if far_m is None else round(far_m / METERS_PER_KILOMETER, 1)
        told = item_answer(self._subentry_id, item)
        self._attr_extra_state_attributes = {
            key: told[key] for key in told.keys() & self._unrecorded_attributes
        }
        self._attr_available = True

    @callback
    def async_show(self, item: FeedItem | None) -> None:
        """Show what is known now; None: the neighborhood doesn't run."""
        if item is None:
            self._attr_available = False
        else:
            self._take(item)
        if self._is_added:
            self.async_write_ha_state()

    @callback
    def async_end(self) -> None:
        """Leave the map: at once, or as soon as it has been added."""
        self._has_ended = True
        if self._is_added:
            self.hass.async_create_task(self.async_remove(force_remove=True), "a post leaves the map")

    @override
    async def async_added_to_hass(self) -> None:
        self._is_added = True
        if self._has_ended:
            self.async_end()

    @override
    async def async_will_remove_from_hass(self) -> None:
        self._is_added = False

    @property
    @override
    def available(self) -> bool:
        return self._attr_available
