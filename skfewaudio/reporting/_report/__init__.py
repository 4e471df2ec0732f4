"""The report: contents, charts and their rendering as HTML or Markdown."""
