"""How much memory a training takes."""

import resource

import torch


def memory_gib(device: str) -> float:
    """The most that was in use so far: of the device's memory on CUDA, of this process's elsewhere."""
    if torch.device(device).type == "cuda" and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
