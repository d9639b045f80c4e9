"""Reads the built pages: every link leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {"script", "img", "link", "iframe", "source", "video"}


class _Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []  # tag, target
        self.anchors: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what the tag names."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if name in ("href", "src") and value is not None:
                self.links.append((tag, value))


def found(site: Path) -> list[str]:
    """What is wrong with the links of a folder of pages, a line each."""
    paths = [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]  # its links
    # begin at the host's root, wherever that will be
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in paths}
    wrong = []
    for path, page in pages.items():
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if tag in _FETCHED and parts.scheme != "data":
                    wrong.append(f"{path.relative_to(site)}: fetched from elsewhere: {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                wrong.append(f"{path.relative_to(site)}: no such file: {link}")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                wrong.append(f"{path.relative_to(site)}: no such anchor: {link}")
    return wrong


def check(site: Path) -> None:
    """Ends the build where a link is dead.

    Raises:
        SystemExit: With every dead link, a line each.
    """
    wrong = found(site.resolve())
    if wrong:
        raise SystemExit("\n".join(wrong))
