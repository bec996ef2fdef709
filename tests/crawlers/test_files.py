"""Texts and tables on disk, crawled for real: what becomes a page, what is told, what stays."""

import csv
import json
import os
import tracemalloc
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crawlers.on_disk.tables import LARGEST_ROW, BrokenRow, Row, TableError, read_rows

SOURCE = {"spider": "files", "licence": "CC0-1.0"}
HEADER = ["Release Year", "Title", "Origin/Ethnicity", "Director", "Cast", "Genre", "Wiki Page",
          "Plot"]  # fmt: skip


def films(path: Path, *rows: tuple[str, str, str, str], encoding: str = "utf-8") -> Path:
    """A table as the set 'Wikipedia Movie Plots' has it: title, genre, page, plot."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for title, genre, page, plot in rows:
            writer.writerow(["1901", title, "American", "Unknown", "", genre, page, plot])
    return path


def folder(workplace, name: str = "lamps") -> Path:
    path = workplace.folder / "corpora" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_a_folder_is_read_in_the_order_of_its_names(workplace) -> None:
    texts = folder(workplace) / "texts"
    (texts / "deep" / ".git").mkdir(parents=True)
    (texts / "b.TXT").write_bytes(b"caf\xe9\r\n")
    (texts / "a story.md").write_text("# A")
    (texts / "deep" / "c.html").write_text("<p>c</p>")
    (texts / "d.epub").write_bytes(b"PK")
    (texts / "empty.txt").write_text(" \n")
    (texts / "large.txt").write_bytes(b"x" * (2**25 + 1))
    (texts / "photo.jpg").write_bytes(b"x")
    (texts / "deep" / ".git" / "config.txt").write_text("hidden")
    outside = workplace.folder / "outside.txt"
    outside.write_text("not of the folder")
    (texts / "link.txt").symlink_to(outside)
    (texts / "elsewhere").symlink_to(workplace.folder)
    os.mkfifo(texts / "pipe.txt")
    workplace.franchise("lamps", {**SOURCE, "path": "texts"})
    crawl = workplace.crawl("files", "lamps")
    # Two of six fail, which is more than a complete crawl may lack.
    assert crawl.status == 1
    assert [(url, row["content_type"]) for url, row in crawl.pages().items()] == [
        ("file:texts/a%20story.md", "text/markdown"),
        ("file:texts/b.TXT", "text/plain"),
        ("file:texts/d.epub", "application/epub+zip"),
        ("file:texts/deep/c.html", "text/html"),
    ]
    row = crawl.pages()["file:texts/b.TXT"]
    assert (row["body"], row["licence"], row["page_id"]) == (
        b"caf\xe9\r\n", "CC0-1.0", "texts/b.TXT"
    )  # fmt: skip
    told = [failure["what"] for failure in crawl.outcome.failures]
    assert told == [
        "passed over: 1 hidden (texts/deep/.git/config.txt); 1 no regular files (texts/pipe.txt); "
        "1 of other kinds (texts/photo.jpg); "
        "2 symbolic links (texts/elsewhere, texts/link.txt)",
        "is empty",
        "is larger than 32 MiB",
    ]


def test_the_yaml_may_lie_among_its_texts(workplace) -> None:
    (folder(workplace) / "a.txt").write_text("Once.")
    workplace.franchise("lamps", {**SOURCE, "path": "."})
    crawl = workplace.crawl("files", "lamps")
    assert list(crawl.pages()) == ["file:a.txt"]
    assert crawl.outcome.failures == []


def test_only_what_changed_is_stored_and_what_vanished_is_gone(workplace) -> None:
    texts = folder(workplace) / "texts"
    texts.mkdir()
    for name in ("a", "b", "c", "d"):
        (texts / f"{name}.txt").write_text(f"The story {name}.")
    workplace.franchise("lamps", {**SOURCE, "path": "texts/*.txt"})
    version = workplace.crawl("files", "lamps").store.data_version()
    again = workplace.crawl("files", "lamps")
    assert (again.outcome.fetched, again.outcome.unchanged) == (0, 4)
    assert (again.outcome.requests, again.store.data_version()) == (0, version)
    (texts / "a.txt").write_text("Another story.")
    (texts / "b.txt").unlink()
    (texts / "c.txt").write_text("")  # e.g. an editor that is saving: the story stays
    changed = workplace.crawl("files", "lamps")
    assert changed.status == 0, changed.stderr
    assert (changed.outcome.fetched, changed.outcome.gone) == (1, 1)
    assert {url: row["body"] for url, row in changed.pages().items()} == {
        "file:texts/c.txt": b"The story c.",
        "file:texts/d.txt": b"The story d.",
        "file:texts/a.txt": b"Another story.",
    }


def test_the_kaggle_table_is_read_as_it_is(workplace) -> None:
    page = "https://en.wikipedia.org/wiki/The_Ferry"
    films(
        folder(workplace) / "plots.csv",
        ("The Ferry", "drama", page, "First line,\r\nsecond “line”."),
        ("The Ferry", "comedy", page, "A remake."),
        ("The Ferry", "comedy", page, "A remake."),  # the same row: the same page
        ("No page", "unknown", "", "Plot."),
        ("Odd page", "unknown", "javascript:alert(1)", "Plot."),
        ("Steering", "unknown", "https://evil.example/\x1b]0;owned\x07", "Plot."),
        encoding="utf-8-sig",
    )
    workplace.franchise("lamps", {**SOURCE, "path": "plots.csv"})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 0, crawl.stderr
    first, remake, plain, odd, steering = crawl.pages().values()
    assert first["url"] == "file:plots.csv#https://en.wikipedia.org/wiki/The_Ferry"
    assert (first["title"], first["attribution_url"]) == ("The Ferry", page)
    assert first["content_type"] == "application/json"
    assert json.loads(first["body"])["Plot"] == "First line,\r\nsecond “line”."
    assert list(json.loads(first["body"])) == HEADER
    assert remake["url"].startswith(f"{first['url']}~")
    assert plain["url"] == "file:plots.csv#No%20page"
    assert odd["attribution_url"] is None
    assert steering["attribution_url"] is None


def test_rows_that_come_and_go_do_not_rename_the_others(workplace) -> None:
    table = folder(workplace) / "plots.csv"
    rows = [(f"Film {n}", "drama", "", f"Plot {n}.") for n in range(20)]
    films(table, *rows)
    workplace.franchise("lamps", {**SOURCE, "path": "plots.csv"})
    workplace.crawl("files", "lamps")
    films(table, ("New", "drama", "", "New."), *rows[:5], *rows[6:])
    crawl = workplace.crawl("files", "lamps")
    outcome = crawl.outcome
    assert (outcome.fetched, outcome.unchanged, outcome.gone) == (1, 19, 1)


def test_a_broken_row_is_told_with_its_line_and_the_others_go_on(workplace) -> None:
    table = folder(workplace) / "tales.jsonl"
    good = [json.dumps({"title": f"T{n}", "text": f"Text {n}."}) for n in range(40)]
    table.write_text("\n".join([*good[:2], '{"title": "cut', "", "[1]", *good[2:]]))
    workplace.franchise("lamps", {**SOURCE, "path": "tales.jsonl"})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 0, crawl.stderr
    assert crawl.store.count() == 40
    first, second = crawl.outcome.failures
    assert first["url"].startswith("file:tales.jsonl#")
    assert first["what"].startswith("line 3 is not JSON")
    assert second["what"] == "line 5 is not a JSON object"


def test_a_table_of_broken_rows_is_no_complete_crawl(workplace) -> None:
    table = folder(workplace) / "tales.csv"
    table.write_text("title,text\n" + "one\n" * 500 + "T,Text.\n")
    workplace.franchise("lamps", {**SOURCE, "path": "tales.csv"})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 1
    assert "only 1 of 501 pages could be had" in crawl.errors[0]
    assert len(crawl.outcome.failures) == 21
    assert crawl.outcome.failures[-1]["what"] == "480 more rows are broken"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"text": "Plott"}, "has no column 'Plott'; there are: 'Name', 'Tale'"),
        ({"text": "Tale", "genre": "Kind"}, "has no column 'Kind'; there are: 'Name', 'Tale'"),
        (None, "has no column 'Plot' or 'text'; there are: 'Name', 'Tale'"),
    ],
)
def test_a_missing_column_is_one_error(workplace, columns, said) -> None:
    table = folder(workplace) / "tales.tsv"
    table.write_text("Name\tTale\nA\tOnce.\nB\tTwice.\n")
    workplace.franchise("lamps", {**SOURCE, "path": "tales.tsv"} | (
        {"columns": columns} if columns else {}
    ))  # fmt: skip
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 1
    (error,) = crawl.errors
    assert said in error
    assert str(table) in error
    assert "defs.yaml: source files" in error


def test_genres_of_a_table_that_has_none_are_an_error(workplace) -> None:
    (folder(workplace) / "tales.csv").write_text("title,text\nA,Once.\n")
    genres = {"drama": ["drama"]}
    workplace.franchise("lamps", {**SOURCE, "path": "tales.csv", "genres": genres})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 1
    assert "has no column of genres, which `genres:` sorts" in crawl.errors[0]


def test_columns_may_be_named_and_a_row_of_json_may_lack_some(workplace) -> None:
    table = folder(workplace) / "tales.jsonl"
    rows = [{"no": 7, "tale": "Once."}, {"no": 8, "tale": "Twice.", "kind": "fable"}]
    table.write_text("\n".join(map(json.dumps, rows)))
    columns = {"text": "tale", "id": "no", "genre": "kind"}
    workplace.franchise("lamps", {**SOURCE, "path": "tales.jsonl", "columns": columns})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 0, crawl.stderr
    assert list(crawl.pages()) == ["file:tales.jsonl#7", "file:tales.jsonl#8"]
    columns["url"] = "link"
    workplace.franchise("lamps", {**SOURCE, "path": "tales.jsonl", "columns": columns})
    (error,) = workplace.crawl("files", "lamps").errors
    assert "no row has the column 'link'" in error


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none.txt", "is not there"),
        ("notes.docx", "names no text; passed over: 1 of other kinds"),
        ("*.txt", "names no text"),
    ],
)
def test_a_path_without_texts_is_an_error(workplace, path, said) -> None:
    (folder(workplace) / "notes.docx").write_bytes(b"x")
    workplace.franchise("lamps", {**SOURCE, "path": path})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 1
    (error,) = crawl.errors
    assert said in error
    assert "`path:`" in error


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        ('title;text\r\nÄ;"one, two\r\nthree"\r\n'.encode("cp1252"), "csv"),
        ('\ufefftitle,text\nÄ,"one, two\r\nthree"'.encode(), "csv"),
        ('title\ttext\rÄ\t"one, two\r\nthree"\r'.encode(), "tsv"),
        ('title\ttext\nÄ\t"one, two\r\nthree"\n'.encode("utf-16"), "csv"),
        ('"title","text"\n\nÄ,"one, two\r\nthree",\n'.encode(), "csv"),
    ],
)
def test_encodings_delimiters_and_line_ends(tmp_path, data, delimiter) -> None:
    path = tmp_path / f"t.{delimiter}"
    path.write_bytes(data)
    (row,) = read_rows(path)
    assert isinstance(row, Row)
    assert row.values == {"title": "Ä", "text": "one, two\r\nthree"}


def test_an_open_quote_swallows_a_bounded_row(tmp_path) -> None:
    path = tmp_path / "t.csv"
    line = "x" * 2**20 + "\n"
    path.write_text('title,text\na,"' + line * (LARGEST_ROW // 2**20 + 3))
    broken, *_ = [row for row in read_rows(path) if isinstance(row, BrokenRow)]
    assert broken.place == "line 2"


def test_parquet_becomes_json(tmp_path) -> None:
    path = tmp_path / "t.parquet"
    values = {"text": "Once.", "when": date(1901, 2, 3), "score": float("nan"), "of": ["a"]}
    pq.write_table(pa.Table.from_pylist([values]), path)
    (row,) = read_rows(path)
    assert isinstance(row, Row)
    assert row.values == {"text": "Once.", "when": "1901-02-03", "score": None, "of": ["a"]}
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        list(read_rows(path))


def test_halves_of_characters_do_not_stop_the_crawl(workplace) -> None:
    (folder(workplace) / "t.jsonl").write_text(r'{"title": "\ud83d", "text": "a \udc00 b"}')
    workplace.franchise("lamps", {**SOURCE, "path": "t.jsonl"})
    crawl = workplace.crawl("files", "lamps")
    assert crawl.status == 0, crawl.stderr
    (row,) = crawl.pages().values()
    assert json.loads(row["body"])["text"] == "a ? b"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_is_read_as_a_stream(tmp_path, suffix) -> None:
    path = tmp_path / f"t.{suffix}"
    rows = [{"title": f"T{n}", "text": f"{n:08} " * 5_000} for n in range(500)]
    if suffix == "parquet":  # in one row group, whose pages are what has to be held
        table = pa.Table.from_pylist(rows)
        pq.write_table(table, path, compression="none", use_dictionary=False, write_batch_size=16)
        del table
    elif suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        path.write_text("title,text\n" + "\n".join(f"{r['title']},{r['text']}" for r in rows))
    del rows
    assert path.stat().st_size > 20 << 20
    arrow = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(arrow)
    tracemalloc.start()
    try:
        assert sum(isinstance(row, Row) for row in read_rows(path)) == 500
        held = tracemalloc.get_traced_memory()[1] + arrow.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)
    assert held < 10 << 20


def test_a_table_of_thousands_of_columns_is_refused_at_once(tmp_path: Path) -> None:
    names = [f"column {n}" for n in range(100_000)]
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n", "utf-8")
    pq.write_table(pa.table({name: ["x"] for name in names[:5_001]}), tmp_path / "wide.parquet")
    (tmp_path / "twice.csv").write_text(",".join([*names[:4_998], "b", "b"]) + "\n", "utf-8")
    for name, why in (
        ("wide.csv", "has 100,000 columns, more than the 5,000 that are read"),
        ("wide.parquet", "has 5,001 columns, more than the 5,000 that are read"),
        ("twice.csv", "has two columns named 'b'"),
    ):
        with pytest.raises(TableError, match=f"^{why}$"):
            list(read_rows(tmp_path / name))


def test_nothing_of_an_absolute_path_but_its_last_part_is_told(workplace) -> None:
    """Two folders of one name are apart by their sources' names; ids are as with relative paths."""
    sources = []
    for name in ("mine", "yours"):
        (workplace.folder / name / "texts").mkdir(parents=True)
        (workplace.folder / name / "texts" / "a.txt").write_text(f"The story of {name}.")
        path = workplace.folder / name / "texts"
        sources.append({**SOURCE, "name": name, "path": str(path)})
    workplace.franchise("lamps", *sources)
    pages = workplace.crawl("files", "lamps").pages()
    assert set(pages) == {"file:mine/texts/a.txt", "file:yours/texts/a.txt"}
    for url, row in pages.items():
        assert (row["page_id"], row["attribution_url"]) == ("texts/a.txt", None)
        told = [str(value) for value in row.values()]
        assert not any(str(workplace.folder) in value for value in told), url
