"""Reads a page: every element is closed in its turn, links lead somewhere, and nothing is loaded from anywhere."""
import sys
from html.parser import HTMLParser
VOID = {"meta", "br", "img", "link", "input", "hr", "line", "rect"}
class Page(HTMLParser):
    def __init__(self):
        super().__init__(); self.open = []; self.ids = set(); self.links = set()
    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "srcset", "data", "poster", "action") or (name == "href" and tag != "a"):
                sys.exit(f"{tag} loads {value}")
            if name == "id":
                assert value not in self.ids, f"two elements are {value}"
                self.ids.add(value)
            if name == "href" and value.startswith("#"): self.links.add(value[1:])
        if tag not in VOID: self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"{tag} closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()
page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
page.close()
assert not page.open, page.open
assert page.links <= page.ids, page.links - page.ids
