"""Recorded voices: the telephone prompts of Asterisk and the exclamations of Hedgewars."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from clips import Clip, read_mono, require_path

PROMPTS = Path("/usr/share/asterisk/sounds")
LANGUAGES = {  # folders of the prompts
    "en": "en_US_f_Allison",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
    "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
}
PROMPT_FOLDS = {  # digits, letters, spelling alphabet, messages
    1: ("digits/[0-9].wav", "digits/[0-9][0-9].wav"),
    2: ("letters/[a-z].wav",),
    3: ("phonetic/[a-z]_p.wav",),
    4: ("agent-*.wav", "conf-*.wav", "pbx-*.wav", "priv*.wav", "queue-*.wav", "vm-*.wav"),
}
N_PROMPTS = 14  # per language and fold
LONGEST_PROMPT = 5.0  # seconds

GAME = Path("/usr/share/games/hedgewars/Data/Sounds/voices")
ACTORS = (  # Classic, Default_uk and Russian_pl share recordings with others
    *("British", "Default", "Default_ru", "HillBilly", "Mobster"),
    *("Pirate", "Robot", "Russian", "Singer", "Surfer"),
)
N_EXCLAMATIONS = 47  # those that most voices have
N_FOLDS = 4


def make_telephone_voices() -> Iterator[Clip]:
    """Read 280 prompts in five languages; each fold has another kind of prompt, the same in all languages."""
    rng = np.random.default_rng(0)
    folders = {
        label: require_path(PROMPTS / folder, f"asterisk-core-sounds-{label}-wav")
        for label, folder in LANGUAGES.items()
    }
    for fold, patterns in PROMPT_FOLDS.items():
        files = [
            {
                path.relative_to(folder)
                for pattern in patterns
                for path in folder.glob(pattern)
                if soundfile.info(path).duration <= LONGEST_PROMPT
            }
            for folder in folders.values()
        ]
        common = sorted(set.intersection(*files))
        drawn = [common[n] for n in sorted(rng.permutation(len(common))[:N_PROMPTS])]
        for label, folder in folders.items():
            for file in drawn:
                yield Clip(*read_mono(folder / file), label, fold, file.stem)


def make_voice_actors() -> Iterator[Clip]:
    """Read about 455 exclamations by ten voices; each fold has other phrases."""
    files = [
        path
        for voice in ACTORS
        for path in sorted(require_path(GAME / voice, "hedgewars-data").glob("*.ogg"))
    ]
    counts = Counter(sorted(path.stem for path in files))
    common = {name for name, _ in counts.most_common(N_EXCLAMATIONS)}
    folds = deal_folds(common)
    sounds = {path: read_mono(path) for path in files}
    copies = Counter(sound.tobytes() for sound, _ in sounds.values())
    for path, (sound, rate) in sounds.items():
        if path.stem in common and copies[sound.tobytes()] == 1:
            yield Clip(sound, rate, path.parent.name, folds[path.stem], path.stem)


def deal_folds(names: Iterable[str]) -> dict[str, int]:
    """Return the fold of each exclamation; numbered variants of a phrase have the same fold."""
    phrases = sorted({_find_phrase(name) for name in names})
    return {name: phrases.index(_find_phrase(name)) % N_FOLDS + 1 for name in names}


def _find_phrase(name: str) -> str:
    return name.rstrip("0123456789").lower()
