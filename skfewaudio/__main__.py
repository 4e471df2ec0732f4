"""Lets ``python -m skfewaudio`` be the command line."""

import sys

from skfewaudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
