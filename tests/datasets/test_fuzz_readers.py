"""Damaged tables: every reader returns a dataset or raises a documented error."""

import json
import re
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skfewaudio import datasets
from skfewaudio.exceptions import SkfewaudioError

# Content that breaks readers: quotes, line ends, invalid UTF-8, invalid or too large numbers, paths that are
# too long or lead elsewhere, encodings, nesting.
TOKENS = [
    *(b'"', b"'", b",", b"\t", b"\n", b"\r", b"\r\n", b";", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3"),
    *(
        b"nan",
        b"inf",
        b"-1",
        b"1e999",
        b"0x1f",
        b"9" * 30,
        b"9" * 5000,
        "\uff11\uff12".encode(),
        b"NA",
        b"true",
    ),
    *(
        b"../",
        b"/",
        b"~",
        b"~no-such-user/",
        b".",
        b"a" * 300,
        b"b" * 5000,
        b"\xe2\x80\xae",
        b"#",
        b"# ",
        b" ",
    ),
    *(b"<", b">", b"&", b"&lt;", b"&x;", b"</", b"/>", b"<song>", b'id=""', b"utf-16", b"no-such-code"),
    *(b"[" * 20_000, b"{", b"}", b"[", b"]", b"null", b":", b"\\u0000", b"\\ud800"),
]
FIELD = re.compile(rb"[^,\t\n\"<>=/\[\]{}:]+")
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["field", "repeat", "line", "bytes"]),
        st.integers(0, 2000),
        st.integers(0, 40),
        st.sampled_from(TOKENS) | st.binary(max_size=4),
    ),
    min_size=1,
    max_size=3,
)


def damage(content, edits):
    """Replace a field or any bytes by other bytes, or a field or line by another one."""
    for kind, position, n_removed, token in edits:
        start = position % (len(content) + 1)
        end = start + n_removed
        if kind in ("field", "repeat") and (fields := list(FIELD.finditer(content))):
            start, end = fields[position % len(fields)].span()
            token = fields[n_removed % len(fields)][0] if kind == "repeat" else token
        if kind == "line" and (lines := content.splitlines(keepends=True)):
            lines[position % len(lines)] = lines[n_removed % len(lines)]
            content = b"".join(lines)
        else:
            content = content[:start] + token + content[end:]
    return content


def line(*fields):
    return (",".join(fields) + "\n").encode()


CLIPS = {"a.wav", "b.wav", "c.ogg", "d.wav"}
CSV = line("path", "label", "fold", "group") + b"".join(
    line(name, "bark" if k % 2 else '"horn, far"', str(k // 2), f"r{k}")
    for k, name in enumerate(sorted(CLIPS))
)
ESC50 = line("filename", "fold", "target", "category", "esc10", "src_file", "take") + b"".join(
    line(f"1-{k}-A-0.wav", str(k), "0", "dog", str(k % 2 == 0), str(k), "A") for k in range(1, 5)
)
URBANSOUND = line(
    "slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"
) + b"".join(line(f"{k}-3-0-0.wav", str(k), "0.0", "4.0", "1", str(k), "3", "dog_bark") for k in range(1, 5))
TUT = b"".join(b"audio/b00%d_0_10.wav\tbeach\tb00%d\n" % (k, k) for k in range(1, 5))
SEGMENTS = b"# Segments csv\n# num_ytids=2\n# YTID, start_seconds, end_seconds, positive_labels\n" + b"".join(
    b'%s, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n' % name for name in (b"-0RWZT-miFs", b"0123456789a")
)
LABELS = b'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/t/dd00088,"Gargling, loud"\n'
ONTOLOGY = json.dumps(
    [{"id": "/m/09x0r", "name": "Speech"}, {"id": "/t/dd00088", "name": "Gargling"}]
).encode()
BALLROOM = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<root><Chacha><song id="1"><exact id="2"/></song>'
    b'<song id="2"/></Chacha><Tango><song id="3"/><song id="4"/></Tango></root>\n'
)
PARTS = "Datei;file;Beginn;start;end;label\n" + "".join(
    f"{k};C:\\x\\{name};;{k},5;{k + 1};Käuz|Fuchs\n" for k, name in enumerate(sorted(CLIPS))
)
INDICATORS = "sep=;\nfile;rain;wind;x\na.wav;1;0;\nb.wav;WAHR;0,0;\nc;0;1;y\n"
TRACK = "0.5\t1.25\towl\n\\\t100.0\t2000.0\n2,0\t3,5\tfox, far\n7\t7\tpoint\n"
RAVEN = "\n".join(
    (
        "Selection\tView\tBegin Time (s)\tEnd Time (s)\tBegin Path\tEnd File\tBegin File\tFile Offset (s)"
        "\tSpecies",
        "1\tWaveform 1\t0.5\t1.25\tD:\\a.wav\ta.wav\ta.wav\t0.5\towl",
        "1\tSpectrogram 1\t0.5\t1.25\tD:\\a.wav\ta.wav\ta.wav\t0.5\towl",
        "2\tWaveform 1\t62\t64\tD:\\b.wav\tc.ogg\tb.wav\t2.0\tfox\n",
    )
)
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "calls"
        xmin = 0
        xmax = 4
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "owl ""far"" away"
        intervals [2]:
            xmin = 1.25
            xmax = 4
            text = "fox"
    item [2]:
        class = "TextTier"
        name = "peaks"
        xmin = 0
        xmax = 4
        points: size = 1
        points [1]:
            number = 0.75
            mark = "H*"
"""
EVENTS = "path,start,end,label\na.wav,0.5,1.25,owl\nb,2,3.5,fox\n"

ESC50_FILES = {f"audio/1-{k}-A-0.wav" for k in range(1, 5)}
URBANSOUND_FILES = {f"audio/fold{k}/{k}-3-0-0.wav" for k in range(1, 5)}
TUT_HOME = "TUT-acoustic-scenes-2017-development"
TUT_FILES = {f"{TUT_HOME}/audio/b00{k}_0_10.wav" for k in range(1, 5)}
TUT_FOLDS = {
    f"{TUT_HOME}/evaluation_setup/fold{k}_test.txt": b"audio/b00%d_0_10.wav\tbeach\n" % k for k in range(1, 5)
}
AUDIOSET_FILES = {"-0RWZT-miFs.wav", "Y0123456789a_30.000_40.000.wav"}
BALLROOM_FILES = {"Chacha/1.wav", "Chacha/2.wav", "Tango/3.wav", "Tango/4.wav"}

# Name -> the table to damage, its content, the other tables, the sound files, and the reader.
READERS = {
    "csv": ("t.csv", CSV, {}, CLIPS, lambda home: datasets.load_csv(home / "t.csv", on_missing="ignore")),
    "tsv": (
        "t.tsv",
        CSV.replace(b",", b"\t"),
        {},
        CLIPS,
        lambda home: datasets.load_csv(home / "t.tsv", on_missing="ignore"),
    ),
    "csv_of_parts": (
        "t.csv",
        PARTS.encode("cp1252"),
        {},
        CLIPS,
        lambda home: datasets.load_csv(home / "t.csv", label_separator="|", on_missing="ignore"),
    ),
    "csv_of_indicators": (
        "t.csv",
        INDICATORS.encode("utf-16"),
        {},
        CLIPS,
        lambda home: datasets.load_csv(home / "t.csv", label_columns=["wind", "rain"], on_missing="ignore"),
    ),
    "audacity": ("a.txt", TRACK.encode(), {}, CLIPS, lambda home: datasets.load_annotations(home / "a.txt")),
    "raven": (
        "a.Table.1.selections.txt",
        RAVEN.encode(),
        {},
        CLIPS,
        lambda home: datasets.load_annotations(home, on_missing="ignore"),
    ),
    "textgrid": (
        "a.TextGrid",
        TEXTGRID.encode(),
        {},
        CLIPS,
        lambda home: datasets.load_annotations(home / "a.TextGrid"),
    ),
    "textgrid_utf16": (
        "a.TextGrid",
        TEXTGRID.encode("utf-16"),
        {},
        CLIPS,
        lambda home: datasets.load_annotations(home / "a.TextGrid", tier="calls", point_duration=1.0),
    ),
    "events": (
        "events.tsv",
        EVENTS.encode(),
        {},
        CLIPS,
        lambda home: datasets.load_annotations(home / "events.tsv", on_missing="ignore"),
    ),
    "esc50": (
        "meta/esc50.csv",
        ESC50,
        {},
        ESC50_FILES,
        lambda home: datasets.load_esc50(home, on_missing="ignore"),
    ),
    "esc10": (
        "meta/esc50.csv",
        ESC50,
        {},
        ESC50_FILES,
        lambda home: datasets.load_esc50(home, subset="esc10", on_missing="ignore"),
    ),
    "urbansound8k": (
        "metadata/UrbanSound8K.csv",
        URBANSOUND,
        {},
        URBANSOUND_FILES,
        lambda home: datasets.load_urbansound8k(home, on_missing="ignore"),
    ),
    "tut2017": (
        f"{TUT_HOME}/meta.txt",
        TUT,
        TUT_FOLDS,
        TUT_FILES,
        lambda home: datasets.load_tut2017(home, on_missing="ignore"),
    ),
    "tut2017_folds": (
        f"{TUT_HOME}/evaluation_setup/fold2_test.txt",
        b"audio/b002_0_10.wav\tbeach\n",
        {**TUT_FOLDS, f"{TUT_HOME}/meta.txt": TUT},
        TUT_FILES,
        lambda home: datasets.load_tut2017(home, on_missing="ignore"),
    ),
    "audioset": (
        "balanced_train_segments.csv",
        SEGMENTS,
        {"class_labels_indices.csv": LABELS},
        AUDIOSET_FILES,
        lambda home: datasets.load_audioset(home, on_missing="ignore"),
    ),
    "audioset_labels": (
        "class_labels_indices.csv",
        LABELS,
        {"balanced_train_segments.csv": SEGMENTS},
        AUDIOSET_FILES,
        lambda home: datasets.load_audioset(home, on_missing="ignore"),
    ),
    "audioset_ontology": (
        "ontology.json",
        ONTOLOGY,
        {"balanced_train_segments.csv": SEGMENTS},
        AUDIOSET_FILES,
        lambda home: datasets.load_audioset(home, on_missing="ignore"),
    ),
    "extended_ballroom": (
        "extendedballroom_v1.1.xml",
        BALLROOM,
        {},
        BALLROOM_FILES,
        lambda home: datasets.load_extended_ballroom(home, on_missing="ignore"),
    ),
}


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    """Return the table to damage, its content, and a function that loads the dataset."""
    table, content, others, sounds, read = READERS[request.param]
    for name, text in {**others, **dict.fromkeys(sounds, b"")}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)
    (tmp_path / table).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path / table, content, lambda: read(tmp_path)


def fuzz(reader, n_examples):
    table, content, read = reader

    @settings(
        max_examples=n_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(EDITS)
    def read_damaged(edits):
        table.write_bytes(damage(content, edits))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                dataset = read()
            except (SkfewaudioError, ValueError):
                return
        assert len(dataset.X) == len(dataset.y) > 0

    read_damaged()


def test_undamaged_table_is_read_completely(reader):
    table, content, read = reader
    table.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert len(read()) >= 2


# Failures found by fuzzing.
@pytest.mark.parametrize("name", [b"a" * 300 + b".wav", b"~no-such-user/a.wav", b"\\"])
@pytest.mark.parametrize("reader", ["csv"], indirect=True)
def test_impossible_file_name_is_missing_audio(reader, name):
    table, content, read = reader
    table.write_bytes(content.replace(b"a.wav", name))
    with pytest.warns(UserWarning, match=r"have no row in .*: \S*a\.wav"):
        assert len(read()) == len(CLIPS) - 1


@pytest.mark.parametrize(
    ("reader", "old", "new", "message"),
    [
        (
            "urbansound8k",
            b",1,3,",
            b"," + b"9" * 30 + b",3,",
            "line 2: fold is '9+'; expected an integer >= 1 and",
        ),
        ("tut2017", b"b002_0_10.wav", b"b001_0_10.wav", "names 1 files a second time"),
        ("audioset_labels", b"/t/dd00088", b"/m/09x0r", "each mid once; /m/09x0r is in line 3, too"),
        ("audioset_ontology", b"[", b"[" * 20_000, "is not the ontology"),
        ("extended_ballroom", b"utf-8", b"no-such-code", "is not readable XML: unknown encoding"),
    ],
    indirect=["reader"],
)
def test_damage_is_reported(reader, old, new, message):
    table, content, read = reader
    table.write_bytes(content.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read()


def test_damaged_table_yields_a_dataset_or_a_documented_error(reader):
    fuzz(reader, 50)


@pytest.mark.slow
def test_hundreds_of_damaged_tables_yield_a_dataset_or_a_documented_error(reader):
    fuzz(reader, 200)


@pytest.mark.long
def test_ten_thousand_damaged_tables_yield_a_dataset_or_a_documented_error(reader):
    fuzz(reader, 10_000)
