"""``python -m rtnb`` is the command line."""

import sys

from rtnb.cli import main

sys.exit(main())
