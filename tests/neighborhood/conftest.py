"""A street with an agency, its officer and a member."""

import pytest

from .agencies import enrol, officer
from .street import Neighbor, Street


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def agency(street: Street) -> Neighbor:
    return enrol(street)


@pytest.fixture
def reyes(street: Street, agency: Neighbor) -> Neighbor:
    """An officer."""
    return officer(street, agency, days=390)


@pytest.fixture
def ann(street: Street) -> Neighbor:
    return street.join("Ann")
