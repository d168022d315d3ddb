"""Models of Hugging Face `transformers`, from a folder or from the hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
import transformers

from quantize.annotate.errors import AnnotateError


@dataclass
class HubModel:
    """A model in evaluation mode and its processor. An adapter says which `AutoModel…` class it is of, and in which precision."""

    model: Any
    processor: Any
    name: str
    version: str  # the hub's commit, or what is known

    KIND: ClassVar[str]
    NETWORK: ClassVar[Any]
    DTYPE: ClassVar[torch.dtype | str] = torch.float32  # "auto" is the file's own

    @classmethod
    def load(cls, where: str, device: str, **options: Any) -> Self:
        """`where` is a folder or a name on the hub; `options` are the adapter's own fields.

        Raises:
            AnnotateError: there are no such files, or they are of another kind of model.
        """
        model, processor, version = _load(cls.NETWORK, where, device, cls.DTYPE)
        return cls(model, processor, f"{cls.KIND}:{where}", version, **options)


def _load(kind: Any, where: str, device: str, dtype: torch.dtype | str) -> tuple[Any, Any, str]:
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise AnnotateError(f'device is {device}, but this machine has no usable CUDA GPU; expected device = "cpu"')
    try:
        processor = transformers.AutoProcessor.from_pretrained(where)  # type: ignore[no-untyped-call]
        model = kind.from_pretrained(where, dtype=dtype).eval().to(device)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = (
            f"`hf download {where}` on a machine with internet gets them" if not Path(where).exists() else "see the model's page"
        )
        raise AnnotateError(f"weights {where} cannot be loaded: {reason[:200]}; expected a transformers model ({hint})") from None
    version = getattr(model.config, "_commit_hash", None) or f"transformers {transformers.__version__}"
    return model, processor, str(version)
