"""Links as QR codes."""

import io


def qr_svg(url: str) -> str:
    """Return `url` as an SVG document that scales with its box and takes the ink's colour."""
    import segno  # when the first is drawn: with it comes half of the library for XML

    code = segno.make(url, error="m", micro=False)
    out = io.BytesIO()
    code.save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True, border=2
    )
    return out.getvalue().decode()
