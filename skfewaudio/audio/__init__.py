"""Sound arrays and sound files; no estimators."""
