"""`python -m xrayview` is the command line."""

import sys

from xrayview.cli import main

if __name__ == "__main__":
    sys.exit(main())
