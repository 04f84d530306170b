"""Numbers and names as people read them."""

from __future__ import annotations

from html import escape

from morphnet import console

MISSING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def number(value: float | None) -> str:
    """As the command line writes it, with the signs that a page can have."""
    text = console.number(value)
    return MISSING if text == "-" else text.replace("-", MINUS)


def count(value: float) -> str:
    """Short form of a large number: 15.0 M, 30.7 k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}\N{NO-BREAK SPACE}{unit}"
    return number(value)


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f}\N{NO-BREAK SPACE}{unit}"
    return f"{seconds:.0f}\N{NO-BREAK SPACE}s"


def breakable(name: str) -> str:
    """A name as HTML that may break after its underscores."""
    return escape(name).replace("_", "_<wbr>")
