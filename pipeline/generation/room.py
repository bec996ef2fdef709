"""Keys and values in room made ahead, so that a token's pass does not copy all that came before.

transformers lays them end to end anew for each token, which for a story of some hundred tokens
takes longer than the pass itself. Room grows by whole blocks, at places that depend on the position
alone: what a row's bits depend on is the same in whatever company.
"""

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

#: Tokens by which the room grows.
BLOCK = 256


class RoomyLayer(DynamicLayer):  # type: ignore[misc] # transformers is not typed
    """The keys and values of one layer, as transformers asks for them."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor):
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self.keys, self.values = keys, values
        self.is_initialized = True
        self._room: list[torch.Tensor] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both with the new ones at their end; shapes (rows, heads, tokens, width)."""
        before = int(self.keys.shape[-2])
        after = before + key_states.shape[-2]
        if not self._room or after > self._room[0].shape[-2]:
            self._room = [_wider(part, after) for part in (self.keys, self.values)]
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, before:after] = new
        self.keys, self.values = (room[:, :, :after] for room in self._room)
        return self.keys, self.values


def make_room(cache: Any) -> Any:
    """The cache with roomy layers where they were transformers' plain ones; others stay."""
    if type(cache) is DynamicCache:
        cache.layers = [
            RoomyLayer(layer.keys, layer.values) if type(layer) is DynamicLayer else layer
            for layer in cache.layers
        ]
    return cache


def _wider(part: torch.Tensor, tokens: int) -> torch.Tensor:
    rows, heads, before, width = part.shape
    wider = part.new_empty(rows, heads, -(-tokens // BLOCK) * BLOCK, width)
    wider[:, :, :before] = part
    return wider
