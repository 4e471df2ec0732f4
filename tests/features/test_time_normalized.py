import numpy as np
import pytest

from skfewaudio import TimeNormalizedSpectrogram


def make_glide(n_frames, n_before=0, n_after=0):
    """Return a spectrogram of a tone that rises, between silences."""
    clip = np.full((32, n_frames), -70.0)
    path = np.linspace(4, 27, n_frames).round().astype(int)
    for offset in (-1, 0, 1):
        clip[path + offset, np.arange(n_frames)] = -10.0
    silence = [np.full((32, n), -70.0) for n in (n_before, n_after)]
    return np.hstack([silence[0], clip, silence[1]])


def similarity(first, second, **params):
    a, b = TimeNormalizedSpectrogram(**params).fit_transform([first, second])
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_vector_does_not_depend_on_silence_around_the_sound():
    assert similarity(make_glide(40), make_glide(40, 30, 7)) == pytest.approx(1)


def test_vector_hardly_depends_on_the_duration():
    assert similarity(make_glide(32), make_glide(64)) > 0.95


def test_vector_depends_on_the_direction_of_time():
    assert similarity(make_glide(40), make_glide(40)[:, ::-1]) < 0.5


def test_level_does_not_change_the_vector():
    louder = make_glide(40) + 12
    np.testing.assert_allclose(
        *TimeNormalizedSpectrogram().fit_transform([make_glide(40), louder]), atol=1e-4
    )


def test_shape_does_not_depend_on_the_response_of_a_microphone():
    response = np.linspace(-9, 9, 32)[:, None]
    clip = make_glide(40)
    transformer = TimeNormalizedSpectrogram(("shape",), n_bands=16, range_db=120)
    np.testing.assert_allclose(*transformer.fit_transform([clip, clip + response]), atol=1e-3)


def test_clip_shorter_than_the_steps_is_stretched():
    assert np.isfinite(TimeNormalizedSpectrogram().fit_transform([make_glide(3)])).all()


def test_names_match_the_columns():
    transformer = TimeNormalizedSpectrogram(("level", "shape", "change"), n_bands=4, n_steps=5)
    columns = transformer.fit_transform([make_glide(20)])
    names = transformer.get_feature_names_out()
    assert columns.shape == (1, len(names))
    assert (names[0], names[-1]) == ("level__band0_step0", "change__band3_step3")


@pytest.mark.parametrize(("n_frames", "relevance"), [(8, 1.0), (16, 1.0), (86, 0.05), (400, 0.05)])
def test_relevance_falls_with_the_duration_of_the_clips(n_frames, relevance):
    assert TimeNormalizedSpectrogram().fit([make_glide(n_frames)]).relevance_ == pytest.approx(relevance)


def test_further_clips_are_measured_as_in_one_fit():
    clips = [make_glide(n, n_after=n // 2) for n in (12, 30, 31, 40, 86)]
    parts = TimeNormalizedSpectrogram().partial_fit(clips[:1]).partial_fit(clips[1:4]).partial_fit(clips[4:])
    full = TimeNormalizedSpectrogram().fit(clips)
    assert 0.05 < full.relevance_ < 1
    assert (parts.relevance_, parts.max_silence_) == (full.relevance_, full.max_silence_)
    assert parts.n_active_frames_.tolist() == [12, 30, 31, 40, 86]


def test_transformer_of_an_earlier_version_cannot_measure_further_clips():
    transformer = TimeNormalizedSpectrogram().fit([make_glide(20)])
    del transformer.n_active_frames_
    with pytest.raises(ValueError, match="fitted by an earlier version"):
        transformer.partial_fit([make_glide(20)])


@pytest.mark.parametrize("parts", [[], ["level", "level"], ["melody"]])
def test_unknown_parts_are_refused(parts):
    with pytest.raises(ValueError, match="one or more of level, shape, change"):
        TimeNormalizedSpectrogram(parts).fit([make_glide(20)])
