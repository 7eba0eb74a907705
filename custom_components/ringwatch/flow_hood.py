"""What every step of a neighborhood's flow shares: the entry, the running part, and what can go wrong."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryFlow,
    UnknownEntry,
)
from homeassistant.data_entry_flow import AbortFlow

from .const import CONF_HOSTED, SUBENTRY_NEIGHBORHOOD
from .neighborhood.hub_client import HubError

if TYPE_CHECKING:
    from .neighborhoods import Neighborhoods

type StepInput = dict[str, Any] | None

# The hub's words that have a sentence of their own; any other is shown as it is.
REFUSALS: Final = frozenset({
    "bad_invite", "handle_taken", "invite_revoked", "invite_used", "limit_reached", "too_many_neighborhoods",
})  # fmt: skip
LATER: Final = frozenset({"too_slow", "too_many", "busy", "hub_full"})


def hub_error(error: HubError) -> str:
    """Return the key of the sentence that says what a hub did."""
    if error.violation in REFUSALS:
        return str(error.violation)
    return "busy" if error.code in LATER else error.code


class NeighborhoodFlowBase(ConfigSubentryFlow):
    """What is filled in so far. Nothing is saved before the last step."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._data: dict[str, Any] = {}

    @property
    def _entry(self) -> ConfigEntry:
        """The entry; whoever removed it meanwhile ended this flow."""
        try:
            return self._get_entry()
        except UnknownEntry as err:
            raise AbortFlow("removed") from err

    @property
    def _changed(self) -> ConfigSubentry:
        """The neighborhood that is being changed; whoever removed it meanwhile ended this flow."""
        try:
            return self._entry.subentries[self._reconfigure_subentry_id]
        except KeyError as err:
            raise AbortFlow("removed") from err

    @property
    def _neighborhoods(self) -> Neighborhoods:
        """What runs; without it nothing can be founded or joined."""
        if self._entry.state is not ConfigEntryState.LOADED:
            raise AbortFlow("not_loaded")
        found: Neighborhoods = self._entry.runtime_data.neighborhoods
        if found.paused:
            raise AbortFlow("backup_running")
        return found

    def _hosted(self) -> list[ConfigSubentry]:
        """The neighborhoods whose hub runs here."""
        return [
            subentry
            for subentry in self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
            if subentry.data[CONF_HOSTED]
        ]
