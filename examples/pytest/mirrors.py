"""What is tested: a page that is asked for at one mirror after the other, until one answers."""

import requests


def first_page(mirrors):
    """The first mirror that answers, and its page. The last one's error if none does."""
    *others, last = mirrors
    for mirror in others:
        try:
            return mirror, requests.get(mirror, timeout=5).text
        except requests.RequestException:
            continue
    return last, requests.get(last, timeout=5).text
