"""The coffee chain's data, which lies beside the checkout."""

from pipeline.settings import ROOT

_DATA = ROOT.parent / "shared" / "data"
RECEIPTS = _DATA / "receipts-2019-04-01-to-05.csv"
CUSTOMERS = _DATA / "customers.csv"
PRODUCTS = _DATA / "products.csv"


def require_data() -> None:
    """Say so when the data is not there."""
    missing = [str(file) for file in (RECEIPTS, CUSTOMERS, PRODUCTS) if not file.is_file()]
    assert not missing, f"these tests need the coffee chain's data; missing: {missing}"
