"""English digits spoken by eight voices of Flite and Festival, as over a telephone."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from clips import Clip, read_mono, require_path, require_program

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STRETCHES = (0.75, 0.87, 1.0, 1.15, 1.32)  # factors of the duration, about equal steps of tempo
RATE = 8000
LEVEL = 0.7  # so that noise does not clip
SNR = (15.0, 30.0)  # decibels, drawn for each clip
FLITE_FOLDS = {"kal": 1, "kal16": 1, "awb": 2, "rms": 2, "slt": 4}
FESTIVAL_FOLDS = {"kal_diphone": 3, "ked_diphone": 3, "cmu_us_slt_arctic_hts": 4}  # fold 4: female
FESTIVAL_FOLDERS = {
    "kal_diphone": ("english", "festvox-kallpc16k"),
    "ked_diphone": ("english", "festvox-kdlpc16k"),
    "cmu_us_slt_arctic_hts": ("us", "festvox-us-slt-hts"),
}
FESTIVAL_VOICES = Path("/usr/share/festival/voices")


def make_digits() -> Iterator[Clip]:
    """Speak 400 digits by eight voices at five speeds, at 8 kHz with noise; a fold has two voices."""
    rng = np.random.default_rng(0)
    folds = FLITE_FOLDS | FESTIVAL_FOLDS
    with tempfile.TemporaryDirectory() as folder:
        run_flite(Path(folder))
        run_festival(Path(folder))
        for voice, fold in folds.items():
            for stretch in STRETCHES:
                for digit in DIGITS:
                    sound, rate = read_mono(Path(folder) / _file_name(voice, stretch, digit))
                    sound = LEVEL * soxr.resample(sound, rate, RATE)
                    noise = rng.normal(size=len(sound)) * np.sqrt(np.mean(sound**2))
                    noisy = sound + noise * 10 ** (-rng.uniform(*SNR) / 20)
                    yield Clip(noisy.astype(np.float32), RATE, digit, fold, f"{voice}-{stretch}")


def run_flite(folder: Path) -> None:
    """Write the digits of the voices of Flite to a folder."""
    require_program("flite", "flite")
    for voice in FLITE_FOLDS:
        for stretch in STRETCHES:
            for digit in DIGITS:
                options = ["-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", digit]
                subprocess.run(
                    ["flite", *options, "-o", folder / _file_name(voice, stretch, digit)], check=True
                )


def run_festival(folder: Path) -> None:
    """Write the digits of the voices of Festival to a folder, by a single script."""
    require_program("festival", "festival")
    lines = []
    for voice in FESTIVAL_FOLDS:
        group, package = FESTIVAL_FOLDERS[voice]
        require_path(FESTIVAL_VOICES / group / voice, package)
        for stretch in STRETCHES:
            lines.append(f"(voice_{voice})")
            lines.append(f"(Parameter.set 'Duration_Stretch {stretch})")
            if voice.endswith("_hts"):  # ignores Duration_Stretch
                lines.append(f'(set! hts_engine_params (cons \'("-r" {1 / stretch}) hts_engine_params))')
            for digit in DIGITS:
                path = folder / _file_name(voice, stretch, digit)
                lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{digit}")) "{path}" \'riff)')
    script = folder / "digits.scm"
    script.write_text("\n".join(lines))
    subprocess.run(["festival", "-b", script], check=True)


def _file_name(voice: str, stretch: float, digit: str) -> str:
    return f"{voice}-{stretch}-{digit}.wav"
