"""Scores of every pipeline of a suite on one dataset; ``--help`` lists the options."""

import sys

from skfewaudio.benchmarking import main

if __name__ == "__main__":
    sys.exit(main())
