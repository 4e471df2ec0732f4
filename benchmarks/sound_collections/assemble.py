"""Assemble seven of the nine collections of docs/benchmarks/few-shot-classifier.md from Debian packages.

Each collection is a folder with WAV files and a table clips.csv, which has the columns path, label and fold,
for kinds_of_sound.py. The packages are espeak-ng, flite, festival, festvox-kallpc16k, festvox-kdlpc16k,
festvox-us-slt-hts, fluidsynth, fluid-soundfont-gm, hydrogen-drumkits, sonic-pi-samples, hedgewars-data and
asterisk-core-sounds-{en,es,fr,it,ru}-wav. The same versions of the packages give the same clips.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from clips import Clip, write_clips
from digits import make_digits
from drums import make_drum_hits
from instruments import make_instruments
from voices import make_telephone_voices, make_voice_actors
from words import make_words_other_voices, make_words_same_voices

COLLECTIONS: dict[str, Callable[[], Iterator[Clip]]] = {
    "words-other-voices": make_words_other_voices,
    "words-same-voices": make_words_same_voices,
    "drum-hits": make_drum_hits,
    "digits": make_digits,
    "telephone-voices": make_telephone_voices,
    "voice-actors": make_voice_actors,
    "instruments": make_instruments,
}


def main(argv: list[str] | None = None) -> int:
    """Assemble the collections, and print the number of clips of each label in each fold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path, help="folder in which each collection gets a folder")
    parser.add_argument(
        "--only", nargs="+", choices=COLLECTIONS, default=list(COLLECTIONS), help="collections to assemble"
    )
    options = parser.parse_args(argv)
    for name in options.only:
        try:
            table = write_clips(COLLECTIONS[name](), options.output / name)
        except (FileExistsError, FileNotFoundError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(f"{name}: {len(table)} clips")
        print(table.groupby(["label", "fold"]).size().unstack(fill_value=0), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
