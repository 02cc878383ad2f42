"""A catalog bundle at work: opened, proved on its golden samples, then asked about pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from edge.inspection.session import open_session
from export import catalog_golden
from export.catalog_bundle import CatalogBundle, open_catalog
from export.catalog_golden import CATALOG_OUTPUTS, CatalogAnswers
from export.errors import ProviderError
from export.preprocess import Pixels
from export.signature import PublicKey


class CatalogModel:
    """What a bundle says of product pictures.

    Args:
        path: the bundle's folder.
        trusted: keys whose signature is believed.
        providers: names of edge.inspection.session.PROVIDERS, the wanted one first.
        threads: threads within one operator.

    Raises:
        SignatureError, BundleError: it can't be trusted, or answers otherwise here.
        ProviderError: the device can't be had.
    """

    def __init__(
        self,
        path: Path,
        trusted: Sequence[PublicKey],
        providers: Sequence[str] = ("cpu",),
        threads: int = 1,
    ) -> None:
        self.bundle: CatalogBundle = open_catalog(path, trusted)
        with self.bundle.sealed_model() as model:
            self._session: Any = open_session(
                model, providers, threads, spinning=False, name=str(path)
            )
        outputs = {one.name for one in self._session.get_outputs()}
        if absent := sorted(set(CATALOG_OUTPUTS) - outputs):
            raise ProviderError(f"{path} has no output {', '.join(absent)}", "export it again")
        catalog_golden.prove(self.bundle, self.tell)

    def tell(self, batch: Pixels) -> CatalogAnswers:
        """What it says of (N,H,W,3) uint8 BGR pictures of the model's input size."""
        found = self._session.run(list(CATALOG_OUTPUTS), {"frames": batch})
        return CatalogAnswers(*cast("list[Any]", found))
