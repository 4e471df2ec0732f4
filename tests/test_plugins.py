"""Plugins of installed distributions; fake distributions are created in a folder on the path."""

import subprocess
import sys

import pytest

from skfewaudio.exceptions import PluginError, PluginWarning
from skfewaudio.plugins import ARCHITECTURES, DATASETS, Registry

GROUP = "skfewaudio.tests"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a fake distribution from its name, entry points and modules."""
    monkeypatch.syspath_prepend(tmp_path)

    def _install(distribution, entry_points, **modules):
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = "\n".join(f"{name} = {target}" for name, target in entry_points.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
            monkeypatch.delitem(sys.modules, name, raising=False)

    return _install


def test_built_in_plugins_are_entry_points():
    assert {"esc50", "tut2017", "urbansound8k"} <= set(DATASETS.names())
    assert "vgg" in ARCHITECTURES.names()


def test_get_returns_the_object():
    from skfewaudio.datasets import load_esc50

    assert DATASETS.get("esc50") is load_esc50


def test_a_plugin_of_another_distribution_is_found(install):
    install("barks", {"bark": "plugin_barks:bark"}, plugin_barks="def bark():\n    return 'woof'\n")
    assert Registry(GROUP).get("bark")() == "woof"


def test_a_plugin_that_is_installed_later_is_found(install):
    assert Registry(GROUP).names() == []
    install("barks", {"bark": "plugin_barks:bark"}, plugin_barks="bark = 1\n")
    assert Registry(GROUP).names() == ["bark"]


def test_listing_names_imports_no_plugin(install):
    install("barks", {"bark": "plugin_barks:bark"}, plugin_barks="bark = 1\n")
    assert Registry(GROUP).names() == ["bark"]
    assert "plugin_barks" not in sys.modules


def test_the_registries_import_neither_torch_nor_pandas():
    code = (
        "import sys; from skfewaudio.plugins import DATASETS; DATASETS.names(); "
        "print({'torch', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_an_unknown_name_lists_the_known_ones_and_the_closest():
    registry = Registry(GROUP)
    registry.register("urbansound8k", 1)
    registry.register("tut", 2)
    with pytest.raises(
        PluginError, match=r"'urbansound' is not in .*known: tut, urbansound8k\. Did you mean 'ur"
    ):
        registry.get("urbansound")


def test_an_unknown_name_in_an_empty_registry_is_an_error():
    with pytest.raises(PluginError, match="known: none"):
        Registry(GROUP).get("bark")


BROKEN = {
    "import error": "import no_such_module_at_all\n",
    "syntax error": "def (:\n",
    "any exception": "raise RuntimeError('no licence')\n",
    "exit": "raise SystemExit(3)\n",
    "no such attribute": "other = 1\n",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_named_and_the_others_are_described(install, source):
    install(
        "noises",
        {"noise": "plugin_noise:noise", "bark": "plugin_bark:bark"},
        plugin_noise=source,
        plugin_bark="def bark():\n    '''Bark once.\n\n    Not twice.\n    '''\n",
    )
    registry = Registry(GROUP)
    with pytest.warns(PluginWarning, match="'noise' of the distribution noises"):
        described = registry.describe()
    assert described["bark"] == ("Bark once.", "noises")
    assert described["noise"].summary.startswith("broken: ")


def test_get_of_a_broken_plugin_raises_from_the_cause(install):
    install("noises", {"noise": "plugin_noise:noise"}, plugin_noise=BROKEN["any exception"])
    with pytest.raises(PluginError, match=r"distribution noises .*no licence") as caught:
        Registry(GROUP).get("noise")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_the_built_in_keeps_a_name_that_another_distribution_declares(install, monkeypatch):
    # The fake "aardvark" comes before "skfewaudio" in the alphabet.
    install("aardvark", {"bark": "plugin_theirs:bark"}, plugin_theirs="bark = 'theirs'\n")
    install("ours", {"bark": "plugin_ours:bark"}, plugin_ours="bark = 'ours'\n")
    monkeypatch.setattr("skfewaudio.plugins._BUILT_IN", "ours")
    with pytest.warns(PluginWarning, match="declared by ours, which keeps it, and by aardvark"):
        assert Registry(GROUP).get("bark") == "ours"


def test_a_plugin_registered_at_run_time_is_found_and_described():
    registry = Registry(GROUP)
    registry.register("bark", len)
    assert registry.get("bark") is len
    assert registry.describe()["bark"].distribution == "run time"


def test_registering_over_a_built_in_warns_and_changes_nothing():
    from skfewaudio.datasets import load_esc50

    registry = Registry("skfewaudio.datasets")
    with pytest.warns(PluginWarning, match="'esc50' in skfewaudio.datasets is built in"):
        registry.register("esc50", len)
    assert registry.get("esc50") is load_esc50


def test_registering_another_object_under_a_name_warns_and_replaces():
    registry = Registry(GROUP)
    registry.register("bark", len)
    registry.register("bark", len)
    with pytest.warns(PluginWarning, match="'bark' .* is replaced"):
        registry.register("bark", max)
    assert registry.get("bark") is max


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_plugin_without_a_name_is_refused(name):
    with pytest.raises(PluginError, match="needs a name"):
        Registry(GROUP).register(name, len)
