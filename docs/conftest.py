"""Keep Sphinx's configuration and extensions from being collected: they need Sphinx, the tests do not."""

collect_ignore = ["conf.py", "_extensions"]
