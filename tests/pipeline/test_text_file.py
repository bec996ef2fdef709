"""A text file as it is: every character of it, or an error that says where and what to do."""

import subprocess
from pathlib import Path

import pytest

from pipeline import text_file
from pipeline.text_file import TextFile, TextFileError

_TALE = (
    "Le meunier lava la cloche noyée, à l’aube — « encore une fois », dit Édda. 鐘 👩‍🚀\r\n\0\r\n"
)
_BOOKS = Path(__file__).parents[3] / "shared" / "data" / "gutenberg"


def _file(path: Path, body: bytes) -> TextFile:
    path.write_bytes(body)
    return TextFile(str(path), path)


@pytest.mark.parametrize("block", [1, 2, 3, 64, 1 << 20])
def test_it_is_read_whole_in_pieces_of_any_size(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(text_file, "_BLOCK", block)
    file = _file(tmp_path / "tale.txt", _TALE.encode())
    file.check()
    assert "".join(file.pieces()) == _TALE


def test_a_byte_order_mark_is_no_text(tmp_path: Path):
    file = _file(tmp_path / "tale.txt", b"\xef\xbb\xbf" + _TALE.encode() + "\ufeff".encode())
    assert "".join(file.pieces()) == _TALE + "\ufeff"


@pytest.mark.parametrize("block", [5, 1 << 20])
def test_a_byte_that_is_no_utf8_is_named_with_its_place(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(text_file, "_BLOCK", block)
    before = "Édda wrote it down.\n" * 1000 + "Ruel said: "
    file = _file(tmp_path / "tale.txt", before.encode() + b"\x80 and left.\n")
    with pytest.raises(TextFileError) as told:
        file.check()
    assert f"byte {len(before.encode()):,}, in line 1,001, is no UTF-8" in str(told.value)


def test_a_text_that_ends_within_a_character_is_told_so(tmp_path: Path):
    file = _file(tmp_path / "tale.txt", "a\nb 鐘".encode()[:-1])
    with pytest.raises(TextFileError, match="byte 4, in line 2, is no UTF-8"):
        file.check()


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("cp1252", "WINDOWS-1252"),
        ("mac_roman", "MACINTOSH"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32", "UTF-32"),
    ],
)
def test_the_command_that_it_names_converts_it(encoding: str, named: str, tmp_path: Path):
    tale = "Le meunier lava la cloche noyée à l’aube : « encore une fois », dit-elle.\n" * 20
    file = _file(tmp_path / "tale of Édda.txt", tale.encode(encoding))
    with pytest.raises(TextFileError) as told:
        file.check()
    assert f"it reads as {named};" in str(told.value)
    command = str(told.value).split("with: ")[1]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    converted = tmp_path / "tale of Édda.utf8.txt"
    assert converted.read_text("utf-8-sig") == tale
    TextFile(str(converted), converted).check()


def test_what_is_no_text_is_told_so(tmp_path: Path):
    with pytest.raises(TextFileError, match="it is no text at all"):
        _file(tmp_path / "tale.bin", bytes(range(256)) * 40).check()


@pytest.mark.parametrize(
    ("body", "told"), [(b"", "is empty"), (b" \n\t \r\n", "holds only blanks")]
)
def test_nothing_to_measure_is_told_so(body: bytes, told: str, tmp_path: Path):
    with pytest.raises(TextFileError, match=told):
        _file(tmp_path / "tale.txt", body).check()


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(TextFileError, match="is a folder"):
        TextFile("tales", tmp_path).check()


@pytest.mark.skipif(not _BOOKS.is_dir(), reason="needs the real books")
def test_real_books_in_other_encodings():
    told = {}
    for name in ("44157-8.txt", "Gaboriau_Other_Peoples_Money.txt"):
        with pytest.raises(TextFileError) as error:
            TextFile(name, _BOOKS / name).check()
        told[name] = str(error.value)
    assert "it reads as WINDOWS-1252" in told["44157-8.txt"]
    assert "it reads as UTF-16" in told["Gaboriau_Other_Peoples_Money.txt"]
    for name in ("pg84.txt", "flatland.txt"):
        TextFile(name, _BOOKS / name).check()
