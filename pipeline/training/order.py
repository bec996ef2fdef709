"""In which order several processes read the blocks: that of one process, dealt out.

The last batch of an epoch may be short. Were it filled with other blocks, as is customary, these
would be learned twice and the loss curve be another than one process's; so it is filled with blocks
from which nothing is learned.
"""

from collections.abc import Iterator

from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import Sampler

from pipeline.training.packing import NO_BLOCK, PackedBlocks


class WholeBatches(Sampler[int]):
    """Each block once an epoch, in an order that seed and epoch decide, filled up with NO_BLOCK.

    The order is the one that accelerate gives a single process.
    """

    def __init__(self, blocks: PackedBlocks, batch_size: int, seed: int):
        """`batch_size`: blocks a forward pass of all processes together."""
        self._order = SeedableRandomSampler(blocks, data_seed=seed)
        self._fill = -len(blocks) % batch_size

    def __iter__(self) -> Iterator[int]:
        yield from self._order
        yield from [NO_BLOCK] * self._fill

    def __len__(self) -> int:
        return len(self._order) + self._fill

    def set_epoch(self, epoch: int) -> None:
        """As accelerate tells every sampler."""
        self._order.set_epoch(epoch)
