"""Tests of networks of the Hugging Face library, which are untrained and saved to disk by the tests."""

import importlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfewaudio import SkorchCNN
from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import PretrainedArchitecture, PretrainedEmbed, RawWaveform
from skfewaudio.features._pretrained.huggingface import HuggingFaceBackend

pytestmark = pytest.mark.slow  # importing the library takes seconds

RATE = 16000
FILLED = ("ast", "clap", "clap fused", "whisper")
FAMILIES = (
    *(
        "ast",
        "clap",
        "clap fused",
        "wav2vec2 group norm",
        "wav2vec2 layer norm",
        "hubert",
        "wavlm",
        "whisper",
    ),
    *("sew", "sew-d", "data2vec-audio", "unispeech", "unispeech-sat", "wav2vec2-conformer", "wav2vec2-bert"),
)


@pytest.fixture(scope="module")
def library():
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def tiny_models(library):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        return importlib.import_module("tiny_models")


@pytest.fixture(scope="module")
def folder_of(tiny_models, tmp_path_factory):
    """Return a function that saves the network of a family once, and returns its folder."""
    folders = {}

    def find(family):
        if family not in folders:
            folders[family] = tiny_models.save_tiny_model(family, tmp_path_factory.mktemp("model"))
        return folders[family]

    return find


@pytest.fixture
def copy_of(folder_of, tmp_path):
    """Return a function that copies the folder of a family, in order to damage it."""

    def copy(family):
        for file in folder_of(family).iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        return tmp_path

    return copy


@pytest.fixture(autouse=True)
def offline(request, monkeypatch, tmp_path):
    """Use an empty cache, and fail if the network is asked for."""
    if "library" in request.fixturenames:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def make_clips(*seconds, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=0.1, size=round(s * RATE)).astype(np.float32) for s in seconds]


def embed_alone(library, folder, clip):
    """Embed a clip with the classes of the library, as its documentation shows."""
    extractor = library.AutoFeatureExtractor.from_pretrained(folder)
    model = library.AutoModel.from_pretrained(folder).eval()
    inputs = extractor(clip, sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        if hasattr(model, "get_audio_features"):
            found = model.get_audio_features(**inputs)
            return found if isinstance(found, torch.Tensor) else found.pooler_output
        if hasattr(model, "get_encoder") and model.config.is_encoder_decoder:
            return model.get_encoder()(**inputs).last_hidden_state
        outputs = model(**inputs)
    return outputs.pooler_output if "pooler_output" in outputs else outputs.last_hidden_state


def test_every_family_is_tested(tiny_models):
    assert set(FAMILIES) == set(tiny_models.FAMILIES)


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # by the library's WavLM
@pytest.mark.parametrize("family", FAMILIES)
def test_the_embedding_is_that_of_the_library(library, folder_of, family):
    (clip,) = make_clips(0.7)
    found = HuggingFaceBackend.open(str(folder_of(family))).embed(clip[None])
    expected = embed_alone(library, folder_of(family), clip).numpy()[:, : found.shape[1]]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clip_has_the_same_embedding_alone_and_in_a_batch(folder_of, library, family):
    backend = HuggingFaceBackend.open(str(folder_of(family)))
    clips = np.array(make_clips(*[0.7] * 5))
    np.testing.assert_allclose(
        backend.embed(clips), np.concatenate([backend.embed(clip[None]) for clip in clips]), atol=5e-5
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_very_short_and_long_clips_are_embedded(folder_of, library, family):
    embed = PretrainedEmbed(f"hf:{folder_of(family)}")
    clips = [np.ones(1, dtype=np.float32), *make_clips(0.02, 3.3)]
    found = embed.fit_transform(clips)
    assert found.shape == (3, embed.get_feature_names_out().size)
    np.testing.assert_allclose(found[2], embed.transform(clips[2:])[0], atol=5e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_layers_are_chosen_by_index(folder_of, library, family):
    folder, batch = str(folder_of(family)), np.array(make_clips(0.7, 0.7))
    first, last = (HuggingFaceBackend.open(folder, output=output).embed(batch) for output in (0, -1))
    assert HuggingFaceBackend.open(folder, output=2).embed(batch).tobytes() == last.tobytes()
    assert first.shape != last.shape or np.abs(first - last).max() > 1e-3
    with pytest.raises(ValueError, match=r"output=3: expected .*index of a hidden layer from 0 to 2"):
        HuggingFaceBackend.open(folder, output=3)


@pytest.mark.parametrize("family", ["ast", "wavlm", "whisper"])
def test_a_pickle_has_no_weights(folder_of, library, family):
    clips = make_clips(0.3, 0.5)
    embed = PretrainedEmbed(f"hf:{folder_of(family)}").fit(clips)
    before = embed.transform(clips)
    content = pickle.dumps(embed)
    assert len(content) < 2000
    np.testing.assert_array_equal(pickle.loads(content).transform(clips), before)


@pytest.mark.parametrize("family", FILLED)
def test_the_frames_of_the_filling_are_left_out(folder_of, library, family):
    backend = HuggingFaceBackend.open(str(folder_of(family)), output="last")
    longest = round(backend.window * RATE)
    whole, part = backend.embed(np.ones((1, longest), "f")), backend.embed(np.ones((1, longest // 4), "f"))
    if family.startswith("clap"):  # repeats the clip, and has no frames
        assert whole.shape == part.shape
    else:
        assert part.shape[1] == -(-whole.shape[1] // 4)


@pytest.mark.parametrize("family", FILLED)
def test_a_window_that_the_network_would_cut_is_refused(folder_of, library, family):
    longer = HuggingFaceBackend.open(str(folder_of(family))).window + 0.5
    embed = PretrainedEmbed(f"hf:{folder_of(family)}", window=longer)
    with pytest.raises(ValueError, match=r"takes at most .* set window=None"):
        embed.fit_transform(make_clips(longer + 1))


@pytest.mark.parametrize("family", ["hubert", "sew", "whisper"])
def test_pooled_outputs_of_other_families_are_refused(folder_of, library, family):
    with pytest.raises(ValueError, match="output='pooled': expected 'last', or the index"):
        HuggingFaceBackend.open(str(folder_of(family)), output="pooled")


@pytest.mark.parametrize("family", ["clap fused", "wav2vec2 group norm", "whisper"])
def test_no_random_state_is_touched_and_nothing_is_printed(folder_of, library, capfd, family):
    folder = str(folder_of(family))
    verbosity = library.logging.get_verbosity()
    capfd.readouterr()
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    HuggingFaceBackend.open(folder).embed(np.array(make_clips(0.7, 0.7)))
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])
    assert capfd.readouterr() == ("", "")
    assert library.logging.get_verbosity() == verbosity


def test_the_network_can_be_fine_tuned(folder_of, library):
    network = HuggingFaceBackend.open(str(folder_of("hubert"))).module.train()
    network(torch.tensor(np.array(make_clips(0.3, 0.3)))).square().sum().backward()
    gradient = network.model.encoder.layers[0].attention.q_proj.weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_weights_of_torch_are_read_without_pickled_objects(copy_of, library):
    from safetensors.torch import load_file

    folder = copy_of("hubert")
    batch = np.array(make_clips(0.3))
    before = HuggingFaceBackend.open(str(folder)).embed(batch)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    np.testing.assert_array_equal(HuggingFaceBackend.open(str(folder)).embed(batch), before)
    torch.save({"weights": Path("x")}, folder / "pytorch_model.bin")
    with pytest.raises(WeightsNotFoundError, match="cannot be read"):
        HuggingFaceBackend.open(str(folder))


def test_weights_in_several_files_are_all_needed(copy_of, library):
    folder = copy_of("hubert")
    batch = np.array(make_clips(0.3))
    before = HuggingFaceBackend.open(str(folder)).embed(batch)
    whole = folder / "model.safetensors"
    model = library.AutoModel.from_pretrained(folder)
    whole.unlink()
    model.save_pretrained(folder, max_shard_size="10kB")
    parts = sorted(folder.glob("model-*.safetensors"))
    assert len(parts) > 1
    np.testing.assert_array_equal(HuggingFaceBackend.open(str(folder)).embed(batch), before)
    assert set(parts) < set(HuggingFaceBackend.files(str(folder)))
    parts[1].unlink()
    with pytest.raises(WeightsNotFoundError, match="or all parts of them"):
        HuggingFaceBackend.open(str(folder))


def test_a_repository_is_found_in_the_cache(folder_of, library, tmp_path):
    repository = tmp_path / "hub" / "models--maker--tiny"
    (repository / "refs").mkdir(parents=True)
    commit = "c0ffee" + 34 * "0"
    (repository / "refs" / "main").write_text(commit)
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    for file in folder_of("hubert").iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    batch = np.array(make_clips(0.3))
    expected = HuggingFaceBackend.open(str(folder_of("hubert"))).embed(batch)
    for name in ("maker/tiny", f"maker/tiny@{commit}"):
        np.testing.assert_array_equal(HuggingFaceBackend.open(name).embed(batch), expected)
    assert snapshot / "model.safetensors" in HuggingFaceBackend.files("maker/tiny")


@pytest.mark.parametrize("name", ["maker/unknown", "unknown", "maker/unknown@v2"])
def test_an_unknown_repository_is_reported(library, name):
    with pytest.raises(WeightsNotFoundError, match=f"hf:{name} is neither a folder nor in the cache"):
        HuggingFaceBackend.open(name)


@pytest.mark.parametrize("name", ["./missing/folder/of/a/model", "../model", "a b"])
def test_a_missing_folder_is_reported(library, name):
    with pytest.raises(WeightsNotFoundError, match="there is no such folder"):
        HuggingFaceBackend.open(name)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", None, "has no config.json"),
        ("config.json", b"{", "configuration in .* cannot be read"),
        ("config.json", b'{"model_type": "unheard-of"}', "configuration in .* cannot be read"),
        ("model.safetensors", None, r"has no weights; expected model\.safetensors"),
        ("model.safetensors", b"\0" * 100, "weights in .* cannot be read"),
        ("preprocessor_config.json", None, "feature extractor in .* cannot be read"),
        ("preprocessor_config.json", b"[]", "feature extractor in .* cannot be read"),
    ],
)
def test_damaged_and_missing_files_are_reported(copy_of, library, file, content, message):
    folder = copy_of("hubert")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(WeightsNotFoundError, match=message):
        HuggingFaceBackend.open(str(folder))


def test_weights_of_another_network_are_refused(copy_of, folder_of, library):
    folder = copy_of("hubert")
    other = folder_of("wav2vec2-bert") / "model.safetensors"
    (folder / "model.safetensors").write_bytes(other.read_bytes())
    with pytest.raises(WeightsNotFoundError, match="has weights of another network"):
        HuggingFaceBackend.open(str(folder))


@pytest.mark.parametrize("change", [lambda tensor: None, lambda tensor: tensor[:-1]])
def test_missing_and_wrong_tensors_are_named(copy_of, library, change):
    from safetensors.torch import load_file, save_file

    file = copy_of("hubert") / "model.safetensors"
    name = "encoder.layers.1.attention.q_proj.bias"
    state = load_file(file)
    state[name] = change(state[name])
    save_file({key: value for key, value in state.items() if value is not None}, file, {"format": "pt"})
    with pytest.raises(
        WeightsNotFoundError, match=rf"{name} \(1 tensors in all\) are missing or have another"
    ):
        HuggingFaceBackend.open(str(file.parent))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Bert", "'bert' reads input_ids; expected a network for sound"),
        ("ViT", "'vit' reads pixel_values; expected a network for sound"),
        ("Clvp", "'clvp' reads input_ids together with sound"),
    ],
)
def test_networks_of_other_inputs_are_refused(copy_of, library, kind, message):
    folder = copy_of("hubert")
    getattr(library, f"{kind}Config")().save_pretrained(folder)
    with pytest.raises(ValueError, match=message):
        HuggingFaceBackend.open(str(folder))


def test_code_of_a_repository_is_not_run(copy_of, library):
    folder = copy_of("hubert")
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"model_type": "own", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "code.py").write_text("raise SystemExit('run')")
    with pytest.raises(WeightsNotFoundError, match="needs no code of its own"):
        HuggingFaceBackend.open(str(folder))


@pytest.mark.parametrize("family", ["ast", "clap", "wav2vec2 group norm", "wavlm"])
def test_skorch_cnn_trains_the_network_with_two_rates(folder_of, library, family):
    folder = folder_of(family)
    architecture = PretrainedArchitecture(f"hf:{folder}", window=0.5)
    cnn = SkorchCNN(architecture, max_epochs=2, backbone_learning_rate=1e-3, random_state=0)
    model = make_pipeline(RawWaveform(sample_rate=architecture.sample_rate), cnn)
    X, y = make_clips(0.5, 0.5, 0.7, 0.7), ["a", "a", "b", "b"]
    expected = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(clone(model).fit(X, y).predict_proba(X), expected)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(model)).predict_proba(X), expected, rtol=1e-4)
    before = list(architecture(2, n_mels=1, n_frames=cnn.patch_frames_).trunk.parameters())
    after = list(cnn.network_.trunk.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
