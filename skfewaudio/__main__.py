"""Entry point of ``python -m skfewaudio``."""

import sys

from skfewaudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
