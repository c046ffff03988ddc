"""A label for a Zebra printer (ZPL II Programming Guide), 74 by 40 mm."""

from .label import Label

DOTS_PER_MM = 8
"""A printer of 203 dpi; one of 300 dpi has 12."""


def as_zpl(label: Label, dots_per_mm: int = DOTS_PER_MM) -> str:
    """Return the commands that print one label."""

    def at(x: float, y: float) -> str:
        return f"^FO{round(x * dots_per_mm)},{round(y * dots_per_mm)}"

    def text(x: float, y: float, height: float, content: str) -> str:
        size = round(height * dots_per_mm)
        return f"{at(x, y)}^A0N,{size},{size}^FH_^FD{_escaped(content)}^FS"

    magnification = 4 * dots_per_mm // 8
    fields = [
        text(4, 4, 5, label.product),
        text(4, 11, 2.6, "Code to make it yours"),
        text(4, 14.5, 5.5, label.identity.shown_code),
        text(4, 21, 2.6, label.identity.address.removeprefix("https://")),
    ]
    fields += [
        text(4, 26.5 + row * 3.2, 2.6, f"{name}  {value}")
        for row, (name, value) in enumerate(label.lines)
    ]
    code = f"{at(43, 6)}^BQN,2,{magnification}^FH_^FDMA,{_escaped(label.scanned)}^FS"
    size = f"^PW{74 * dots_per_mm}^LL{40 * dots_per_mm}"
    return "\n".join(["^XA", "^CI28", size, *fields, code, "^PQ1", "^XZ", ""])


def _escaped(text: str) -> str:
    """Write what ZPL takes for commands as hexadecimal (^FH)."""
    return "".join(f"_{ord(sign):02X}" if sign in "^~_" else sign for sign in text)
