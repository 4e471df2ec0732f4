"""Keep Sphinx's configuration from being collected: it needs Sphinx, the tests do not."""

collect_ignore = ["conf.py"]
