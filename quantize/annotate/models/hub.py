"""Loads models of Hugging Face `transformers`, from a folder or from the hub."""

from pathlib import Path
from typing import Any

import torch
import transformers

from quantize.annotate.errors import AnnotateError


def load(kind: Any, where: str, device: str, dtype: torch.dtype | str = torch.float32) -> tuple[Any, Any, str]:
    """Model of an `AutoModel…` class in evaluation mode, its processor, and its version: the hub's commit, or what is known.

    `dtype` "auto" is the file's own.


    Raises:
        AnnotateError: there are no such files, or they are of another kind of model.
    """
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
