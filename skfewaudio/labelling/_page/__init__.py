"""The page that asks the questions, and its server."""

from .app import LabellingPage

__all__ = ["LabellingPage"]
