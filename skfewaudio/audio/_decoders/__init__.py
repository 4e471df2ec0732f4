"""Decoders of sound files: libsndfile for plain wav and Ogg Vorbis, FFmpeg (PyAV) for everything else."""
