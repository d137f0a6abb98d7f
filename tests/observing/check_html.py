#!/usr/bin/python3
"""Whether a page of pyhost-status is whole, and needs nothing from elsewhere.

usage: check_html.py FILE: prints what is wrong, and otherwise the page's texts, one to a line.
"""

import html.parser
import pathlib
import sys

VOID = {"meta", "link", "br", "input"}
# With these an attribute would make the browser fetch or run something.
FETCHING = {"src", "srcset", "action", "formaction", "data", "poster", "background", "style"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.texts, self.scripts, self.rows = [], [], [], 0, []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        names = dict(attributes)
        if tag in ("script", "style"):
            self.scripts += tag == "script"
            if names.keys() != {"nonce"}:
                self.wrong.append(f"<{tag}> with {names}")
        for name, value in attributes:
            if name in FETCHING or name.startswith("on"):
                self.wrong.append(f"<{tag} {name}={value!r}>")
            if name == "href" and not value.startswith(("#", "?", "data:,")):
                self.wrong.append(f"a link to {value!r}")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append(names.get("data-label"))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, text):
        if not self.open or self.open[-1] not in ("script", "style"):
            if text.strip():
                self.texts.append(" ".join(text.split()))


def main():
    page = Page()
    page.feed(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    page.close()
    if page.open:
        page.wrong.append(f"never closed: {page.open}")
    if page.scripts != 1:
        page.wrong.append(f"{page.scripts} scripts")
    # Of each cell a narrow page shows what it is.
    if any(None in row and set(row) != {None} for row in page.rows):
        page.wrong.append("a cell without its label")
    print("\n".join(page.wrong or page.texts))
    return 1 if page.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
