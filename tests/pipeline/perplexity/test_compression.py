"""xz as a yardstick: the same size as the program's own."""

import lzma
import shutil
import subprocess

import pytest

from pipeline.perplexity.compression import xz_bits

_TEXT = "The bell of Harrow fen rang twice, and the fox — who owed it money — hid. "


def test_it_is_one_stream_of_all_texts():
    texts = [f"{_TEXT}{n} Ruel counted {n * n} lanterns.\n" for n in range(300)]
    whole = lzma.compress("".join(texts).encode(), preset=9 | lzma.PRESET_EXTREME)
    assert xz_bits(iter(texts)) == 8 * len(whole)
    assert xz_bits(texts) < 40 * xz_bits(texts[:1])


@pytest.mark.skipif(shutil.which("xz") is None, reason="needs the xz program")
def test_it_is_what_the_program_makes_of_it():
    done = subprocess.run(
        ["xz", "-9e", "--threads=1", "--stdout"], input=(_TEXT * 9).encode(), capture_output=True
    )
    assert xz_bits([_TEXT] * 9) == 8 * len(done.stdout)
