"""What can be wrong with an agency's profile, a footage request or a partnership."""

from .violation import RecordViolation


class NotProved(RecordViolation):
    """An agency's key has not signed the profile that it stands in."""

    code = "not_proved"


class ProfileOld(RecordViolation):
    """The agency has signed a newer profile, that holds here already."""

    code = "profile_old"


class DomainTaken(RecordViolation):
    """An agency with this domain is here: it is changed, not enrolled a second time."""

    code = "domain_taken"


class BadArea(RecordViolation):
    """The edges of an area cross or touch."""

    code = "bad_area"


class AreaTooSmall(RecordViolation):
    """An area so small that it points at a house."""

    code = "area_too_small"


class AreaTooLarge(RecordViolation):
    """More ground than a request may cover."""

    code = "area_too_large"


class WindowTooShort(RecordViolation):
    """So little time that it tells what the agency knows."""

    code = "window_too_short"


class WindowTooLong(RecordViolation):
    """More time than a request may cover."""

    code = "window_too_long"


class OutsideJurisdiction(RecordViolation):
    """The area is not, with all of it, in the agency's jurisdiction."""

    code = "outside_jurisdiction"


class LawfulAssembly(RecordViolation):
    """Nobody is asked for footage of people who gather lawfully."""

    code = "lawful_assembly"


class ThirdOfCase(RecordViolation):
    """There were two requests for this case already."""

    code = "third_of_case"


class TooManyOpen(RecordViolation):
    """The agency has as many requests open as it may."""

    code = "too_many_open"


class TermsDiffer(RecordViolation):
    """The request promises something else than the agency's profile."""

    code = "terms_differ"


class NotReleased(RecordViolation):
    """No moderator has let the request through."""

    code = "not_released"


class NotOpen(RecordViolation):
    """The request has ended, or is held."""

    code = "not_open"


class AlreadyExtended(RecordViolation):
    """A request is extended once."""

    code = "already_extended"


class AlreadyReminded(RecordViolation):
    """A request is called to mind once."""

    code = "already_reminded"


class CodeTaken(RecordViolation):
    """Another partnership has this code."""

    code = "code_taken"
