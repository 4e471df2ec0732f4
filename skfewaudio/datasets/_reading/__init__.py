"""Readers of text, tables and times that people write, and the search for the sound files that they name."""
