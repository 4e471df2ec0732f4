"""One-shot recordings of drums from the kits of Hydrogen and the samples of Sonic Pi."""

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from clips import Clip, read_mono, require_path

KITS = Path("/usr/share/hydrogen/data/drumkits")
SAMPLES = Path("/usr/share/sonic-pi/samples")
SAMPLE_PREFIXES = ("bd_", "drum_", "elec_", "sn_")
FOLDS = {
    1: ("The Black Pearl 1.0", "HardElectro1"),
    2: ("ForzeeStereo", "Gimme A Hand 1.0", "VariBreaks"),
    3: ("Millo-Drums_v.1", "Millo_MultiLayered2", "Millo_MultiLayered3"),
    4: ("BJA_Pacific", "ColomboAcousticDrumkit", "ElectricEmpireKit", "sonic-pi"),
}
MOST = 13  # recordings per label and fold
# Names that fit a label, but are of another sound: half-open hats, bells of cymbals, rolls, rimshots.
SKIPPED = (
    r"semi|swish|choke|hat free|roll|\bbell|cup\b|crash ?ride|ride crash|rim ?shot|snare ?(off)?rim|^stick \d"
)
PATTERNS = {
    "kick": r"kick|bass ?drum|drum bass|\bbd",
    "snare": r"snare|\bsn\b|\bsd\b",
    "tom": r"\btom|floortom",
    "closed hat": r"hat.*clos|hat.* cl\b|clos.*(hat|hh)|chh|cymbal closed",
    "open hat": r"hat.*open|hat.* op\b|open.*(hat|hh)|hhopen|ohh|cymbal open",
    "pedal hat": r"hat.*(pedal|foot| pd\b)|pedal ?(hat|hh|hi)|hhpedal|cymbal pedal",
    "crash": r"crash",
    "ride": r"ride",
    "stick": r"stick\b|rim ?click",
    "clap": r"clap",
}


def make_drum_hits() -> Iterator[Clip]:
    """Read 329 recordings of ten kinds of drums; each fold has kits of its own."""
    require_path(KITS, "hydrogen-drumkits")
    require_path(SAMPLES, "sonic-pi-samples")
    for fold, kits in FOLDS.items():
        by_label: dict[str, list[list[tuple[str, Path]]]] = defaultdict(list)
        for kit in kits:
            found = find_samples() if kit == "sonic-pi" else find_kit(KITS / kit)
            for label, paths in found.items():
                by_label[label].append([(kit, path) for path in paths])
        for label, of_kits in by_label.items():
            # In turn from each kit, so that a large kit does not exclude the others.
            in_turn = [row for row in chain.from_iterable(zip_longest(*of_kits)) if row is not None]
            for kit, path in in_turn[:MOST]:
                yield Clip(*read_mono(path), label, fold, f"{kit}-{path.stem}".replace(" ", "-"))


def find_samples() -> dict[str, list[Path]]:
    """Return the labelled files of Sonic Pi by label."""
    paths = sorted(SAMPLES.glob("*.flac"))
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        label = find_label(path.stem)
        if path.name.startswith(SAMPLE_PREFIXES) and label is not None:
            found[label].append(path)
    return found


def find_kit(kit: Path) -> dict[str, list[Path]]:
    """Return the labelled files of a kit of Hydrogen by label."""
    tree = ET.fromstring(require_path(kit / "drumkit.xml", "hydrogen-drumkits").read_bytes())
    found: dict[str, list[Path]] = defaultdict(list)
    for instrument in tree.iterfind(".//{*}instrument"):
        name = instrument.findtext("{*}name") or ""
        for file in instrument.iterfind(".//{*}filename"):
            path = kit / (file.text or "")
            label = find_label(name, path.stem)
            # Kits list files that they lack, and one file as several instruments.
            if label is not None and path.is_file() and path not in found[label]:
                found[label].append(path)
    return found


def find_label(*names: str) -> str | None:
    """Return the label that all recognised names of a recording have in common, or None."""
    cleaned = [re.sub(r"[\W_]+", " ", name.lower()).strip() for name in names]
    if any(re.search(SKIPPED, name) for name in cleaned):
        return None
    found = {label for name in cleaned for label, pattern in PATTERNS.items() if re.search(pattern, name)}
    return found.pop() if len(found) == 1 else None
