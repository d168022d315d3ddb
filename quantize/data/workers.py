"""Processes that share a machine's cores."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import torch


def _one_thread() -> None:
    torch.set_num_threads(1)


def workers() -> ProcessPoolExecutor:
    """One single-threaded process per core: unlike threads inside one operator they do not wait for each other."""
    return ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork"), initializer=_one_thread)


def spare_cores() -> int:
    """All cores but one, which trains."""
    return max(1, (os.cpu_count() or 1) - 1)
