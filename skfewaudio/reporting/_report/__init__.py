"""Contents, charts and rendering of the report."""
