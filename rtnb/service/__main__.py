"""``python -m rtnb.service``: the service as a child process. Prints its URL as one JSON line; ends when stdin closes."""

from __future__ import annotations

import argparse
import sys

from rtnb.errors import ConfigurationError
from rtnb.service.server.options import REFUSED, ServiceOptions, add_arguments
from rtnb.service.server.running import run_as_child


def main() -> int:
    """Serve until stdin closes or a signal to stop comes; return the exit status, 130 where it came during the start."""
    parser = argparse.ArgumentParser(prog="python -m rtnb.service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    add_arguments(parser)
    given = parser.parse_args()
    try:
        run_as_child(ServiceOptions.of(given), given.host, given.port, tls=given.tls)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
