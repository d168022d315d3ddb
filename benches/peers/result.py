"""What was measured of one case."""

import statistics
from dataclasses import dataclass, field

import agreement
from cases import Case


@dataclass
class Result:
    """One case at one number of threads."""

    case: Case
    threads: int
    agreement: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)

    def median(self, engine: str) -> float:
        """Milliseconds."""
        return statistics.median(self.times[engine])

    def best(self, family: str) -> str:
        """The fastest form of `ort` int8, `ncnn`, or an engine itself."""
        forms_of = {"ort": ["ort-s8", "ort-u8", "ort-u8u8"], "ncnn": ["ncnn-f32", "ncnn-bf16", "ncnn-int8"]}.get(family, [family])
        return min(forms_of, key=self.median)

    def best_exact(self) -> str:
        """The fastest int8 form of ONNX Runtime that computes the network."""
        exact = [name for name in ("ort-s8", "ort-u8", "ort-u8u8") if agreement.SATURATED not in self.agreement.get(name, "")]
        return min(exact, key=self.median)

    def ratio(self, family: str) -> float:
        """edgeclip's time by that of the family's best form."""
        return self.median("edgeclip") / self.median(self.best(family))
