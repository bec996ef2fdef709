"""The likelihood of a document with nothing clever in it: what the quick computation must equal."""

import math

import torch


def naive(model: torch.nn.Module, ids: list[int], end: int, context: int, stride: int) -> float:
    """Each token by itself, in a forward pass of its own, in the window that scores it."""
    stream = [end, *ids]
    nats = 0.0
    for position in range(1, len(stream)):
        if position <= context:
            start = 0
        else:
            steps = math.ceil((position - context) / stride)
            start = min(context + steps * stride, len(ids)) - context
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([stream[start:position]])).logits[0, -1]
        nats -= float(logits.double().log_softmax(0)[stream[position]])
    return nats


def in_one_pass(model: torch.nn.Module, begin: list[int], ids: list[int]) -> float:
    """A document under a model that nothing bounds, with nothing clever in it."""
    stream = torch.tensor([[*begin, *ids]])
    with torch.inference_mode():
        likely = model.eval()(input_ids=stream).logits[0].double().log_softmax(1)
    return -sum(
        float(likely[place - 1, stream[0, place]]) for place in range(len(begin), stream.shape[1])
    )
