"""What is looked at before an agency is taken in, for the action and for the form alike.

Three things have to agree: the profile, which the agency's own key has signed; the agency's website; and
the fingerprint that a person of the host's was told by the agency in another way.
"""

from typing import Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.util.ssl import get_default_context

from .neighborhood.agency_file import parse_profile
from .neighborhood.bodies import Agency
from .neighborhood.enrolment import EnrolmentError, async_check_domain, check_local
from .neighborhood.keys import fingerprint
from .neighborhood.ledger import Ledger
from .neighborhood.requests import AgencyItem, read_agencies
from .neighborhood.violations import RecordViolation

# Why an agency isn't enrolled, each with a sentence of its own; any other is "other".
ENROLMENT: Final = frozenset(
    {
        "federal_agency",
        "immigration_agency",
        "key_differs",
        "no_key",
        "not_a_profile",
        "not_published",
        "redirected",
        "timed_out",
        "tls_failed",
        "unreachable",
    }
)
GROUPS: Final = 6
GROUP: Final = 5


class NotEnrolledError(Exception):
    """The agency isn't enrolled. `key` is that of the sentence, and `placeholders` what it needs."""

    def __init__(self, code: str, *, name: str = "", domain: str = "") -> None:
        """Keep what is known."""
        super().__init__(code)
        self.key = f"enroll_{code if code in ENROLMENT else 'other'}"
        self.placeholders = {"name": name, "domain": domain, "code": code}

    @classmethod
    def of(cls, error: EnrolmentError, agency: Agency) -> Self:
        """Say which agency it is about."""
        return cls(error.code, name=agency.name, domain=agency.domain)


async def async_read_agency(hass: HomeAssistant, text: str) -> Agency:
    """Return whose profile it is, once its website has said the same. Raise NotEnrolledError."""
    try:
        found = parse_profile(text.strip().encode())
    except RecordViolation as err:
        raise NotEnrolledError("not_a_profile") from err
    context = await hass.async_add_executor_job(get_default_context)
    try:
        check_local(found)
        await async_check_domain(found, ssl_context=context)
    except EnrolmentError as err:
        raise NotEnrolledError.of(err, found) from err
    return found


def find_enrolled(agency: Agency, ledger: Ledger) -> AgencyItem | None:
    """Return the agency that is here already and that this profile changes."""
    here = read_agencies(ledger)
    return next((one for one in here if one.key == agency.key or one.domain == agency.domain), None)


def wrong_groups(given: str, agency: Agency) -> int | None:
    """Return how many groups of a fingerprint are wrong; None if it isn't six groups of five digits."""
    said, right = _digits(given), _digits(fingerprint(agency.key))
    if len(said) != len(right):
        return None
    return sum(said[at : at + GROUP] != right[at : at + GROUP] for at in range(0, GROUPS * GROUP, GROUP))


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
