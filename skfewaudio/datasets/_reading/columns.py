"""Columns of tables by the names that people use."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import pandas as pd

from skfewaudio.audio.formats import audio_suffixes

Names = tuple[tuple[str, ...], ...]
Chosen = str | Literal[False] | None


def _names(*ranks: str) -> Names:
    """Return groups of names, the most usual ones first."""
    return tuple(tuple(rank.split()) for rank in ranks)


# Plain names (see plain_name). Names of a later group count only if none of an earlier one exists.
PATH_NAMES = _names(
    "path file filename filepath fname",
    "audio wav paths files filenames filepaths audiofile audiofilename audiopath audiofilepath wavfile "
    "wavpath wavname soundfile soundpath slicefilename sourcefile notatedpath beginfile beginpath",
    "recording recordings recordingname recordingfile recordingfilename recordingpath clip clipname clippath",
)
LABEL_NAMES = _names(
    "label class category target",
    "species annotation event labels labelname classes classname targets speciesname annotations eventlabel "
    "eventtype primarylabel",
    "commonname scientificname speciescode tag tags tag1 calltype soundtype",
)
START_NAMES = _names("start starttime begin begintime onset onsettime")
END_NAMES = _names("end endtime stop stoptime offset offsettime")
DURATION_NAMES = _names("duration dur length")
FOLD_NAMES = _names("fold folds")
GROUP_NAMES = _names(
    "group groups recording recordingid",
    "groupid recordings recordingname",
    "site sites siteid sitename location locationid recorder recorderid",
)
SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
}
N_NAMED = 7  # usual names that an error lists
_UNIT = re.compile(r"[\s_.]*[(\[](\w+)[)\]]$|[\s_.]+([a-z]+)$", re.IGNORECASE)


def plain_name(name: str) -> str:
    """Return the name of a column in lower case, without spaces, punctuation and a repetition's number."""
    return re.sub(r"[\W_]+", "", re.sub(r" \(\d+\)$", "", name).casefold())


def split_unit(name: str) -> tuple[str, float]:
    """Return the plain name of a column of times without its unit, and the unit in seconds.

    The unit of "Begin Time (s)", "start_s" and "onset [ms]" is split off. The default is a second.
    """
    match = _UNIT.search(name.strip())
    unit = (match[1] or match[2]).lower() if match else ""
    if match and unit in SECONDS:
        return plain_name(name.strip()[: match.start()]), SECONDS[unit]
    return plain_name(name), 1.0


def find_usual(usual: Names, present: Sequence[str]) -> list[str]:
    """Return the columns with the most usual of some names."""
    for names in usual:
        if found := [name for name in present if plain_name(name) in names or split_unit(name)[0] in names]:
            return found
    return []


def choose_column(
    wanted: Chosen,
    usual: Names,
    present: Sequence[str],
    source: Path,
    parameter: str,
    *,
    optional: bool = False,
) -> str | None:
    """Return the requested column, or the only column with a usual name; False stands for no column."""
    if wanted is False:
        return None
    if wanted is not None:
        return find_column(wanted, present, source)
    found = find_usual(usual, present)
    if len(found) == 1:
        return found[0]
    if optional and not found:
        return None
    raise ValueError(_explain(found, usual, present, source, parameter))


def choose_label_column(wanted: str | None, table: pd.DataFrame, source: Path) -> str:
    """Return the requested column of labels, or the only column with a usual name and content.

    Of columns with less usual names that are translations of each other, such as common and scientific names,
    the first is returned.
    """
    present = list(table.columns)
    if wanted is not None:
        return find_column(wanted, present, source)
    filled = [name for name in present if (table[name] != "").any()]
    found = find_usual(LABEL_NAMES, filled) or find_usual(LABEL_NAMES, present)
    are_translations = all(plain_name(name) in LABEL_NAMES[-1] for name in found)
    if len(found) == 1 or (found and are_translations and _is_one_to_one(table[found])):
        return found[0]
    raise ValueError(
        _explain(found, LABEL_NAMES, present, source, "label_column") + _suggest_indicators(table)
    )


def find_column(wanted: str, present: Sequence[str], source: Path) -> str:
    """Return the column of a name; case, spaces and punctuation may differ."""
    if wanted in present:
        return wanted
    same = [name for name in present if plain_name(name) == plain_name(str(wanted))]
    if len(same) == 1:
        return same[0]
    close = get_close_matches(str(wanted), present, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{source} has no column {wanted}; its columns are {', '.join(present)}{hint}")


def _explain(found: Sequence[str], usual: Names, present: Sequence[str], source: Path, parameter: str) -> str:
    """Return the message for several columns, or no column, with a usual name."""
    if found:
        which = f"{' and '.join(found)} could be it"
    else:
        names = [name for group in usual for name in group]
        which = f"no column is named {', '.join(names[:N_NAMED])} or the like"
    hint = "" if found else _hint_at_header(present)
    return f"{source} has the columns {', '.join(present)}; {which}: name the {parameter}{hint}"


def _hint_at_header(names: Sequence[str]) -> str:
    """Return a sentence if the names look like values, or like a row in quotation marks."""
    if len(names) == 1 and re.search("[,;\t|]", names[0]):
        return ". Each row seems to be in quotation marks: remove them"
    if any(Path(name).suffix.lower() in audio_suffixes() for name in names):
        return ". If the table has no header, add a first line such as path,label"
    return ""


def _is_one_to_one(columns: pd.DataFrame) -> bool:
    """Return whether each value of a column stands beside one value of the others."""
    n_rows = len(columns.drop_duplicates())
    return all(columns[name].nunique() == n_rows for name in columns)


def _suggest_indicators(table: pd.DataFrame) -> str:
    """Return a clause that names the columns of 0 and 1, which may hold several labels."""
    found = [str(name) for name in table if len(table) and table[name].isin(["0", "1"]).all()]
    return f", or label_columns: {', '.join(found)} hold only 0 and 1" if len(found) > 1 else ""
