"""Formats of annotation files, each of which is read as a list of events."""
