"""Where logs go: to standard error, a line for each event, which the journal keeps."""

import logging
import sys

import structlog


def log_to_stderr(level: str) -> None:
    """Write what is at least as serious as `level`."""
    minimum = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
