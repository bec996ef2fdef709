"""The named sizes of a fresh GPT-2.

gpt2 to gpt2-xl are the published ones (Radford et al. 2019, table 2), with the peak learning rates
of GPT-3's table 2.1 for models of that size. The small ones, for a CPU or a test, keep nanoGPT's
proportion of layers to width, and its 1e-3 for "baby" models.
"""

from typing import NamedTuple


class Size(NamedTuple):
    """Shape of a GPT-2, and the peak learning rate that suits it from scratch."""

    layers: int
    width: int
    heads: int
    context: int  # tokens
    learning_rate: float


GPT2_SIZES: dict[str, Size] = {
    "nano": Size(layers=2, width=64, heads=2, context=128, learning_rate=3e-3),
    "tiny": Size(layers=4, width=128, heads=4, context=256, learning_rate=3e-3),
    "mini": Size(layers=4, width=192, heads=6, context=256, learning_rate=2e-3),
    "small": Size(layers=6, width=384, heads=6, context=512, learning_rate=1e-3),
    "gpt2": Size(layers=12, width=768, heads=12, context=1024, learning_rate=6e-4),
    "gpt2-medium": Size(layers=24, width=1024, heads=16, context=1024, learning_rate=3e-4),
    "gpt2-large": Size(layers=36, width=1280, heads=20, context=1024, learning_rate=2.5e-4),
    "gpt2-xl": Size(layers=48, width=1600, heads=25, context=1024, learning_rate=2e-4),
}
