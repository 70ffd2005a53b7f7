"""JupyterLab's folder: copies that follow the suite until somebody saves them, and are never written again from then on."""

import pytest

from roi.errors import LabNotStarted
from roi.lab.folder import Copy, copies_in, copy_notebooks


@pytest.fixture
def suite(tmp_path):
    """Give two notebooks of the suite."""
    folder = tmp_path / "suite"
    folder.mkdir()
    notebooks = [folder / "10_first.ipynb", folder / "20_second.ipynb"]
    for notebook in notebooks:
        notebook.write_text(f"{notebook.stem}, as it was")
    return notebooks


@pytest.fixture
def lab(tmp_path, suite):
    copy_notebooks(tmp_path / "lab", suite)
    return tmp_path / "lab"


def test_a_folder_is_made_that_git_ignores(lab):
    assert (lab / ".gitignore").read_text() == "*\n"
    assert (lab / "10_first.ipynb").read_text() == "10_first, as it was"


def test_a_copy_that_nobody_saved_follows_the_suite(lab, suite):
    suite[0].write_text("10_first, mended")
    copy_notebooks(lab, suite)
    assert (lab / "10_first.ipynb").read_text() == "10_first, mended"
    assert copies_in(lab, suite) == {"10_first.ipynb": Copy(False), "20_second.ipynb": Copy(False)}


def test_a_copy_that_was_saved_is_kept_and_the_newer_one_is_put_beside_it(lab, suite):
    (lab / "10_first.ipynb").write_text("mine")
    copy_notebooks(lab, suite)
    assert copies_in(lab, suite)["10_first.ipynb"] == Copy(True)
    suite[0].write_text("10_first, mended")
    copy_notebooks(lab, suite)
    assert (lab / "10_first.ipynb").read_text() == "mine"
    assert (lab / "10_first.newer.ipynb").read_text() == "10_first, mended"
    assert copies_in(lab, suite)["10_first.ipynb"] == Copy(True, "10_first.newer.ipynb")


def test_a_newer_one_that_was_read_and_deleted_does_not_come_back(lab, suite):
    (lab / "10_first.ipynb").write_text("mine")
    suite[0].write_text("10_first, mended")
    copy_notebooks(lab, suite)
    (lab / "10_first.newer.ipynb").unlink()
    copy_notebooks(lab, suite)
    assert copies_in(lab, suite)["10_first.ipynb"] == Copy(True)


def test_a_newer_one_that_was_saved_is_the_analysts_as_well(lab, suite):
    (lab / "10_first.ipynb").write_text("mine")
    suite[0].write_text("10_first, mended")
    copy_notebooks(lab, suite)
    (lab / "10_first.newer.ipynb").write_text("mine, merged")
    suite[0].write_text("10_first, mended twice")
    copy_notebooks(lab, suite)
    assert (lab / "10_first.newer.ipynb").read_text() == "mine, merged"


def test_a_copy_that_was_deleted_comes_back_and_the_newer_one_beside_it_goes(lab, suite):
    (lab / "10_first.ipynb").write_text("mine")
    suite[0].write_text("10_first, mended")
    copy_notebooks(lab, suite)
    (lab / "10_first.ipynb").unlink()
    copy_notebooks(lab, suite)
    assert (lab / "10_first.ipynb").read_text() == "10_first, mended"
    assert not (lab / "10_first.newer.ipynb").exists()


def test_what_was_saved_is_kept_even_when_the_record_of_copies_is_lost(lab, suite):
    (lab / "10_first.ipynb").write_text("mine")
    (lab / ".roi" / "copied.json").write_text("{")
    copy_notebooks(lab, suite)
    assert (lab / "10_first.ipynb").read_text() == "mine"


def test_git_may_keep_the_notebooks_of_who_removed_the_file_that_ignores_them(lab, suite):
    (lab / ".gitignore").unlink()
    copy_notebooks(lab, suite)
    assert not (lab / ".gitignore").exists()


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path, suite):
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "start.md").write_text("chapter one")
    with pytest.raises(
        LabNotStarted, match=r"thesis is there and is no folder of `roi lab`: choose another with --folder"
    ):
        copy_notebooks(other, suite)
    assert [path.name for path in other.iterdir()] == ["start.md"]


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path, suite):
    (tmp_path / "file").write_text("")
    with pytest.raises(LabNotStarted, match=r"cannot be copied to .*file/lab: Not a directory\. Choose another folder"):
        copy_notebooks(tmp_path / "file" / "lab", suite)
