"""Small untrained networks of the Hugging Face library, saved to disk in its format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

# Settings that make every network of the speech families small.
SPEECH = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    conv_dim=(8,) * 7,
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=2,
    num_codevectors_per_group=4,
    codevector_dim=8,
    proj_codevector_dim=8,
    vocab_size=8,
)
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
AST = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    num_mel_bins=32,
    max_length=128,
)
WHISPER = dict(
    d_model=16,
    encoder_layers=2,
    decoder_layers=1,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=32,
    decoder_ffn_dim=32,
    num_mel_bins=20,
    max_source_positions=100,
    vocab_size=20,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    decoder_start_token_id=3,
)
CLAP_AUDIO = dict(
    spec_size=64,
    patch_size=4,
    patch_stride=[4, 4],
    num_mel_bins=16,
    window_size=4,
    depths=[1, 1],
    num_attention_heads=[2, 2],
    patch_embeds_hidden_size=8,
    hidden_size=16,
    projection_dim=12,
)
CLAP_TEXT = dict(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=8,
    projection_dim=12,
)


def _speech(name: str, *, normalize: bool = True, **settings: Any) -> Callable[[Any], tuple[Any, Any]]:
    def make(library: Any) -> tuple[Any, Any]:
        config = getattr(library, f"{name}Config")(**{**SPEECH, **settings})
        extractor = library.Wav2Vec2FeatureExtractor(do_normalize=normalize, return_attention_mask=normalize)
        return getattr(library, f"{name}Model")(config), extractor

    return make


def _ast(library: Any) -> tuple[Any, Any]:
    extractor = library.ASTFeatureExtractor(num_mel_bins=32, max_length=128)
    return library.ASTForAudioClassification(library.ASTConfig(**AST)), extractor


def _clap(library: Any, *, fused: bool = False) -> tuple[Any, Any]:
    audio = dict(
        CLAP_AUDIO, enable_fusion=fused, enable_patch_fusion=fused, fusion_type="aff_2d" if fused else None
    )
    config = library.ClapConfig(audio_config=audio, text_config=CLAP_TEXT, projection_dim=12)
    extractor = library.ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=16000,
        frequency_max=8000,
        hop_length=160,
        max_length_s=1,
        truncation="fusion" if fused else "rand_trunc",
    )
    return library.ClapModel(config), extractor


def _whisper(library: Any) -> tuple[Any, Any]:
    extractor = library.WhisperFeatureExtractor(feature_size=20, chunk_length=2)
    return library.WhisperForConditionalGeneration(library.WhisperConfig(**WHISPER)), extractor


def _wav2vec2_bert(library: Any) -> tuple[Any, Any]:
    settings = {key: SPEECH[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    config = library.Wav2Vec2BertConfig(**settings, intermediate_size=32, feature_projection_input_dim=40)
    return library.Wav2Vec2BertModel(config), library.SeamlessM4TFeatureExtractor(
        feature_size=20, num_mel_bins=20
    )


FAMILIES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "ast": _ast,
    "clap": _clap,
    "clap fused": lambda library: _clap(library, fused=True),
    "wav2vec2 group norm": _speech("Wav2Vec2", normalize=False),
    "wav2vec2 layer norm": _speech("Wav2Vec2", **LAYER_NORM),
    "hubert": _speech("Hubert"),
    "wavlm": _speech("WavLM"),
    "whisper": _whisper,
    "sew": _speech("SEW", conv_dim=(8,) * 13, squeeze_factor=2),
    "sew-d": _speech(
        "SEWD", conv_dim=(8,) * 13, squeeze_factor=2, max_position_embeddings=32, position_buckets=16
    ),
    "data2vec-audio": _speech("Data2VecAudio"),
    "unispeech": _speech("UniSpeech"),
    "unispeech-sat": _speech("UniSpeechSat"),
    "wav2vec2-conformer": _speech("Wav2Vec2Conformer"),
    "wav2vec2-bert": _wav2vec2_bert,
}


def save_tiny_model(family: str, folder: Path) -> Path:
    """Save a network of a family, and its feature extractor, in a folder."""
    import torch
    import transformers

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, extractor = FAMILIES[family](transformers)
    model.eval().save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder
