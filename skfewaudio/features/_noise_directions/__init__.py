"""Directions in which background noise moves the vectors of spectrograms, measured on synthetic sounds."""
