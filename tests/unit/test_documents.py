"""Small files that are replaced as a whole."""

from pathlib import Path

import pytest

from pipeline.document import read_document, replace_document, replace_file


def test_a_file_that_cannot_be_written_stays_as_it_was_and_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk each try would leave a file more."""
    path = tmp_path / "inner" / "state.json"
    replace_document(path, {"n": 1})
    with pytest.raises(TypeError):
        replace_file(path, "no bytes")  # type: ignore[arg-type]
    assert read_document(path) == {"n": 1}
    assert list(path.parent.iterdir()) == [path]
