"""What py-motmetrics makes of tests/data/track_motmetrics.csv; metrics.rs holds the answer. Needs `pip install motmetrics`."""

import collections
import csv
import pathlib

import numpy as np

# motmetrics 1.4.0 asks for a function that numpy 2 dropped.
np.asfarray = lambda values: np.asarray(values, dtype=float)
import motmetrics  # noqa: E402

frames = collections.defaultdict(lambda: {"truth": {}, "hypothesis": {}})
path = pathlib.Path(__file__).parents[3] / "tests/data/track_motmetrics.csv"
for row in csv.DictReader(path.open()):
    x0, y0, x1, y1 = (float(row[edge]) for edge in ("x0", "y0", "x1", "y1"))
    frames[int(row["frame"])][row["kind"]][int(row["id"])] = [x0, y0, x1 - x0, y1 - y0]

accumulator = motmetrics.MOTAccumulator(auto_id=True)
for _, sides in sorted(frames.items()):
    truth, hypotheses = sides["truth"], sides["hypothesis"]
    distances = motmetrics.distances.iou_matrix(list(truth.values()), list(hypotheses.values()), max_iou=0.5)
    accumulator.update(list(truth), list(hypotheses), distances)
names = "num_objects num_misses num_false_positives num_switches idtp num_predictions mota idf1".split()
print(motmetrics.metrics.create().compute(accumulator, metrics=names).T)
