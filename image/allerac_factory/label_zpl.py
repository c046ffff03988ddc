"""A label for a Zebra printer (ZPL II Programming Guide), 74 by 40 mm."""

from .label import Label, fitting

DOTS_PER_MM = 8
"""A printer of 203 dpi; one of 300 dpi has 12."""


WIDTH, HEIGHT, MARGIN = 74.0, 40.0, 4.0
PLACE = (43.0, 4.0)
"""Of the code's corner."""

BESIDE_CODE = 36.0
FONT = "Helvetica-Bold"
"""Whose signs are wider than those of the printer's own font 0, which is condensed."""

SMALL = 2.6
NAMES = 9.0
LINE = 3.2


def as_zpl(label: Label, dots_per_mm: int = DOTS_PER_MM) -> str:
    """Return the commands that print one label."""

    def at(x: float, y: float) -> str:
        return f"^FO{round(x * dots_per_mm)},{round(y * dots_per_mm)}"

    def text(
        y: float, height: float, content: str, left: float = 0.0, width: float = BESIDE_CODE
    ) -> str:
        size = int(fitting(content, FONT, height, width - left) * dots_per_mm)
        return f"{at(MARGIN + left, y)}^A0N,{size},{size}^FH_^FD{_escaped(content)}^FS"

    how, address, then = label.advice
    magnification = 4 * dots_per_mm // 8
    fields = [
        text(4, 5, label.product),
        text(10.2, SMALL, how),
        text(13.4, SMALL + 0.4, address),
        text(16.8, SMALL, then),
        text(19.8, 5.5, label.identity.shown_code),
    ]
    bottom = HEIGHT - MARGIN - SMALL
    for row, (name, value) in enumerate(reversed(label.lines)):
        width = BESIDE_CODE if row else WIDTH - 2 * MARGIN  # the last one is below the code
        fields.append(text(bottom - row * LINE, SMALL, name))
        fields.append(text(bottom - row * LINE, SMALL, value, NAMES, width))
    code = f"{at(*PLACE)}^BQN,2,{magnification}^FH_^FDMA,{_escaped(label.scanned)}^FS"
    size = f"^PW{round(WIDTH * dots_per_mm)}^LL{round(HEIGHT * dots_per_mm)}"
    return "\n".join(["^XA", "^CI28", size, *fields, code, "^PQ1", "^XZ", ""])


def _escaped(text: str) -> str:
    """Write what ZPL takes for commands as hexadecimal (^FH)."""
    return "".join(f"_{ord(sign):02X}" if sign in "^~_" else sign for sign in text)
