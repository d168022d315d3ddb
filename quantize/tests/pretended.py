"""A device that is not there: tensors say that they are on CUDA, are computed on the CPU, and may not be mixed with the CPU's.

So that a test without a GPU finds a forgotten transfer. Only forward: gradients would ask CUDA's driver for a stream.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
# the CPU's indices may pick from CUDA's tensors, not the other way round
PICKING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
MIXING = PICKING | {aten._to_copy, aten.copy_}


class Elsewhere(Tensor):
    """Says CUDA; `held` has the numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, real: Tensor) -> "Elsewhere":
        made: Elsewhere = Tensor._make_wrapper_subclass(
            cls, real.shape, strides=real.stride(), dtype=real.dtype, device=torch.device("cuda", 0)
        )
        made.held = real
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise AssertionError(f"{func} outside of Pretended")


class Pretended(TorchDispatchMode):
    """While active, `cuda` works everywhere and every operation checks that its tensors are together."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __enter__(self) -> "Pretended":
        torch._C._ensureCUDADeviceGuardSet()
        self.lazy_init = torch.cuda._lazy_init
        torch.cuda._lazy_init = lambda: None
        torch._C._set_only_lift_cpu_tensors(True)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *reason: Any) -> None:
        super().__exit__(*reason)  # type: ignore[no-untyped-call]
        torch.cuda._lazy_init = self.lazy_init
        torch._C._set_only_lift_cpu_tensors(False)
        torch.__future__.set_overwrite_module_params_on_conversion(False)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        mixed = len({isinstance(t, Elsewhere) for t in tensors if t.dim() > 0}) == 2
        index_elsewhere = func.overloadpacket in PICKING and not isinstance(args[0], Elsewhere)
        if mixed and (func.overloadpacket not in MIXING or index_elsewhere):
            raise RuntimeError(f"{func}: found tensors on cpu and on cuda, expected one device")
        away = any(isinstance(t, Elsewhere) for t in tensors)
        if func.overloadpacket in (aten.index, aten.copy_):  # the result is where the picked from, or the written to, is
            away = isinstance(args[0], Elsewhere)
        if kwargs.get("device") is not None:
            away = torch.device(kwargs["device"]).type == "cuda"
            kwargs["device"] = torch.device("cpu")
        real_args, real_kwargs = tree_map(lambda t: t.held if isinstance(t, Elsewhere) else t, (args, kwargs))
        out = func(*real_args, **real_kwargs)
        if func._schema.is_mutable:
            return args[0] if isinstance(out, Tensor) else out
        return tree_map(lambda t: Elsewhere(t) if isinstance(t, Tensor) and away else t, out)
