"""Mixed precision by a budget: which blocks stay in float.

On the board a float block is an island between int8 tensors, run by tract (docs/architecture.md, Lowering); its cost is counted
in multiply-accumulates, and `edgeclip bench` says what they take.
"""

import heapq
from dataclasses import dataclass

from quantize.int8.sensitivity import Bench
from quantize.progress import track


@dataclass
class Choice:
    """A block that stays in float: what it takes of the budget, and the noise once it is float, too."""

    name: str
    macs: int
    noise: float


def choose(bench: Bench, groups: dict[str, list[str]], budget: int) -> tuple[list[Choice], float]:
    """Blocks in float, at most `budget` multiply-accumulates together, and the noise with none.

    Lazy greedy (Minoux, 1978): the block with the most noise removed per multiply-accumulate is taken first; old gains stand
    in for new ones until a block comes to the front, where it is measured beside the chosen ones. Stops when no block helps.
    Raises ValueError for a budget below the smallest block.
    """
    costs = {name: bench.cost(nodes) for name, nodes in groups.items()}
    smallest = min(costs, key=lambda name: costs[name])
    if budget < costs[smallest]:
        raise ValueError(f"budget: found {budget} MACs, expected at least {costs[smallest]}, those of {smallest}")
    start = noise = bench.measure(())[0].total
    queue: list[tuple[float, int, str, float]] = []

    def enqueue(name: str) -> None:
        after = bench.measure([*nodes, *groups[name]])[0].total
        heapq.heappush(queue, ((after - noise) / max(costs[name], 1), len(chosen), name, after))

    chosen: list[Choice] = []
    nodes: list[str] = []
    for name in track([n for n in groups if costs[n] <= budget], "noise without each block"):
        enqueue(name)
    while queue:
        change, measured_with, name, after = heapq.heappop(queue)
        if costs[name] > budget:
            continue
        if measured_with < len(chosen):
            enqueue(name)
            continue
        if change >= 0:
            break
        chosen.append(Choice(name, costs[name], after))
        nodes += groups[name]
        noise, budget = after, budget - costs[name]
    return chosen, start
