"""Random networks of Hugging Face's classes, saved as folders that the annotators load like published weights."""

import json
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import torch
from quantize.data.words import words
from transformers import (
    BertTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    CLIPTokenizer,
    GPT2Tokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    Mask2FormerImageProcessor,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    SamConfig,
    SamImageProcessor,
    SamModel,
    SamProcessor,
    SwinConfig,
)

WORDS = sorted(
    words("a the red blue white black and dog cat ball box cross bus man shirt on in with two light traffic hot plate .")
)


def bert_tokenizer(folder: Path) -> BertTokenizer:
    """One token a word of WORDS, or a letter."""
    folder.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    tokens = dict.fromkeys([*special, *WORDS, *ascii_lowercase, *(f"##{c}" for c in ascii_lowercase)])
    (folder / "vocab.txt").write_text("\n".join(tokens))
    return BertTokenizer(vocab=str(folder / "vocab.txt"), additional_special_tokens=["[DEC]", "[ENC]"])


def clip_tokenizer(folder: Path) -> CLIPTokenizer:
    """Letters, without merges."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*ascii_lowercase, *(f"{c}</w>" for c in ascii_lowercase), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


def owlv2(folder: Path) -> Path:
    """4 x 4 boxes per picture."""
    torch.manual_seed(0)
    tokenizer = clip_tokenizer(folder)
    end = tokenizer.eos_token_id
    ends: dict[str, Any] = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": end, "pad_token_id": end}
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Owlv2Config(
        text_config=small | {"vocab_size": len(tokenizer), "max_position_embeddings": 16} | ends,
        vision_config=small | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    Owlv2ForObjectDetection(config).save_pretrained(folder)
    processor = Owlv2ImageProcessor(size={"height": 32, "width": 32})
    Owlv2Processor(processor, tokenizer).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def grounding_dino(folder: Path) -> Path:
    """12 boxes per picture."""
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(folder)
    bert: dict[str, Any] = {
        "model_type": "bert", "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    small: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    heads: dict[str, Any] = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = GroundingDinoConfig(
        backbone_config=swin(("stage2", "stage3", "stage4")),
        text_config=bert | {"intermediate_size": 32, "max_position_embeddings": 64},
        d_model=32, num_queries=12, max_text_len=64, disable_custom_kernels=True, **small, **heads,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    processor = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    GroundingDinoProcessor(processor, tokenizer).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def swin(out_features: tuple[str, ...]) -> SwinConfig:
    """A backbone of four stages."""
    small: dict[str, Any] = {
        "embed_dim": 8,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 2, 2],
        "window_size": 2,
        "image_size": 64,
    }
    return SwinConfig(**small | {"out_features": list(out_features)})


def sam(folder: Path) -> Path:
    """Pictures of 64 pixels."""
    torch.manual_seed(0)
    config = SamConfig(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 64, "patch_size": 8, "mlp_dim": 32,
            "output_channels": 16, "global_attn_indexes": [0], "window_size": 4, "num_pos_feats": 8,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    SamModel(config).save_pretrained(folder)
    processor = SamImageProcessor(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}, mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    SamProcessor(processor).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def mask2former(folder: Path) -> Path:
    """Three names, with biases so that one of them is found."""
    torch.manual_seed(0)
    config = Mask2FormerConfig(
        backbone_config=swin(("stage1", "stage2", "stage3", "stage4")), feature_size=32, mask_feature_size=32, hidden_dim=32,
        encoder_feedforward_dim=32, encoder_layers=1, decoder_layers=2, num_attention_heads=2, dim_feedforward=32, num_queries=4,
        id2label={0: "cat", 1: "grass-merged", 2: "wall-other-merged"},
    )  # fmt: skip
    model = Mask2FormerForUniversalSegmentation(config)
    with torch.no_grad():
        model.class_predictor.bias.add_(torch.tensor([0.0, 9.0, 0.0, 0.0]))
    model.save_pretrained(folder)
    Mask2FormerImageProcessor(size={"height": 64, "width": 64}, num_labels=3).save_pretrained(folder)
    return folder


def blip(folder: Path) -> Path:
    """Says words of WORDS."""
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(folder)
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids: dict[str, Any] = {"bos_token_id": 5, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3}
    config = BlipConfig(
        text_config=small | {"vocab_size": len(tokenizer), "encoder_hidden_size": 16, "max_position_embeddings": 64} | ids,
        vision_config=small | {"image_size": 32, "patch_size": 8},
        projection_dim=16, image_text_hidden_size=16,
    )  # fmt: skip
    BlipForConditionalGeneration(config).save_pretrained(folder)
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(processor, tokenizer).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder


def blip2(folder: Path) -> Path:
    """Ends its captions at once."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<s>", "<pad>", "</s>", *ascii_lowercase, "Ġ", "<image>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    files = str(folder / "vocab.json"), str(folder / "merges.txt")
    tokenizer = GPT2Tokenizer(*files, unk_token="</s>", bos_token="</s>", eos_token="</s>", pad_token="<pad>")
    small: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    opt = {"hidden_size": 16, "word_embed_proj_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32}
    ids = {"vocab_size": len(tokens), "max_position_embeddings": 64, "bos_token_id": 2, "pad_token_id": 1, "eos_token_id": 2}
    config = Blip2Config(
        vision_config=small | {"image_size": 32, "patch_size": 8},
        qformer_config=small | {"encoder_hidden_size": 16, "vocab_size": 32, "cross_attention_frequency": 1},
        text_config={"model_type": "opt"} | opt | ids,
        num_query_tokens=4, image_token_index=len(tokens) - 1,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    decoder: Any = model.language_model.model.decoder
    with torch.no_grad():
        decoder.final_layer_norm.weight.zero_()
        decoder.final_layer_norm.bias.copy_(100 * decoder.embed_tokens.weight[2])
    model.save_pretrained(folder)
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    Blip2Processor(processor, tokenizer, num_query_tokens=4).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder
