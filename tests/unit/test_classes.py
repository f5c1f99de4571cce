"""Java classes of our own: compiled once, named by what they are made from, errors as sentences."""

from pathlib import Path

import pytest

from cluster import classes
from cluster.classes import class_folder, compile_classes
from pipeline.errors import LoyaltyError


@pytest.fixture
def component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A component with one class, and a cache that is empty; nobody may write to its folder."""
    folder = tmp_path / "agent"
    source = folder / "java" / "house" / "Word.java"
    source.parent.mkdir(parents=True)
    source.write_text('package house; public class Word { String word = "é"; }\n')
    (folder / "jars.sha256").write_text("00  some.jar\n")
    monkeypatch.setattr(classes, "folder_of", {"agent": folder}.__getitem__)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def without_javac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_classes_are_in_the_cache_and_the_checkout_is_as_before(
    component: Path, tmp_path: Path
) -> None:
    before = below(component)
    folder = compile_classes("agent", tmp_path)
    assert folder == class_folder("agent")
    assert below(folder) == ["house/Word.class"]
    assert list(folder.parent.iterdir()) == [folder]
    assert below(component) == before


def test_what_is_compiled_is_not_compiled_again(
    component: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compile_classes("agent", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # so there is no javac
    assert compile_classes("agent", tmp_path) == folder


def test_other_sources_or_other_jars_are_other_classes(component: Path) -> None:
    folders = {class_folder("agent")}
    (component / "jars.sha256").write_text("11  some.jar\n")
    folders.add(class_folder("agent"))
    source = component / "java" / "house" / "Word.java"
    source.write_text(source.read_text().replace("é", "e"))
    folders.add(class_folder("agent"))
    source.rename(source.with_name("Other.java"))
    folders.add(class_folder("agent"))
    assert len(folders) == 4


@pytest.mark.usefixtures("without_javac")
def test_without_a_javac_it_says_what_to_install(component: Path, tmp_path: Path) -> None:
    with pytest.raises(LoyaltyError, match=r"no javac on the PATH.*openjdk-17-jdk-headless"):
        compile_classes("agent", tmp_path)


def test_javacs_first_error_is_told_and_nothing_stays(component: Path, tmp_path: Path) -> None:
    (component / "java" / "Bad.java").write_text("class Bad { Missing missing; }\n")
    with pytest.raises(LoyaltyError, match=r"agent's classes: .*Bad\.java:1: error: "):
        compile_classes("agent", tmp_path)
    assert list(class_folder("agent").parent.iterdir()) == []
