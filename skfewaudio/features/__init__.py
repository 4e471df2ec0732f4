"""Transformers: waveforms in, arrays out."""
