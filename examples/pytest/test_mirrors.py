"""The same code at three places of the internet."""

import pytest
import requests

from mirrors import first_page

MIRRORS = ["https://web.whatsapp.com/", "https://www.wikipedia.org/"]


@pytest.mark.lab("ru/whatsapp-2026", phase="before", vantage="moscow")
def test_the_first_mirror_is_taken_where_it_is_not_blocked():
    assert first_page(MIRRORS)[0] == MIRRORS[0]


@pytest.mark.lab("ru/whatsapp-2026", phase="full-block", vantage="moscow")
def test_the_second_mirror_is_taken_where_the_first_is_blocked():
    # Its name is gone from the provider's resolver.
    with pytest.raises(requests.ConnectionError, match="Failed to resolve"):
        first_page(MIRRORS[:1])
    assert first_page(MIRRORS)[0] == MIRRORS[1]


@pytest.mark.lab("ru/whatsapp-2026", phase="full-block", vantage="control")
def test_elsewhere_nothing_is_blocked():
    assert first_page(MIRRORS)[0] == MIRRORS[0]
