"""Conversion of power decibels."""

from math import log

DECIBEL = log(10) / 10  # natural logarithm of the power ratio of 1 dB
