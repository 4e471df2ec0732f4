"""Output of transformers that return tables or, with some parameters, spectrograms."""

from typing import Any, Self

from skfewaudio._documentation import DocumentedMixin


class OutputMixin(DocumentedMixin):
    """Mixin, left of TransformerMixin, for the containers of tables and of spectrograms.

    The estimator has ``_returns_table``. If it is true, scikit-learn converts the output of ``transform``.
    Otherwise the output is one array per clip, whose rows the feature names name.
    """

    _returns_table: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # TransformerMixin has just set a constant, by which it decides whether to convert the output.
        cls._sklearn_auto_wrap_output_keys = property(_find_converted)  # type: ignore[attr-defined]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the container of the output.

        A data frame cannot hold spectrograms. With "pandas", the spectrograms of a DataFrame or a Series of
        clips are returned as a Series with its index, and otherwise as arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Container of the output of ``transform`` and ``fit_transform``. None leaves it unchanged.

        Returns
        -------
        self
        """
        if self._returns_table:
            return super().set_output(transform=transform)  # type: ignore[misc]  # of TransformerMixin
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # cloned by scikit-learn
        return self

    def _keep_index(self, output: Any, X: Any) -> Any:
        """Return spectrograms of clips in a container of pandas as a Series, if pandas output was set."""
        container = getattr(self, "_sklearn_output_config", {}).get("transform")
        if self._returns_table or container != "pandas":
            return output
        import pandas as pd

        is_indexed = isinstance(X, pd.Series | pd.DataFrame)
        return pd.Series(list(output), index=X.index) if is_indexed else output


def _find_converted(estimator: OutputMixin) -> set[str]:
    """Return the kinds of output that scikit-learn converts to the container."""
    return {"transform"} if estimator._returns_table else set()
