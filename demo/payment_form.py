"""Reads the form of a payment page, as a browser does."""

from __future__ import annotations

from html.parser import HTMLParser


class PaymentForm(HTMLParser):
    """The form of the payment module's page: where it goes, and what its fields and buttons send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form and what is in it."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        elif tag == "button":
            self.buttons.append(values.get("value", ""))
