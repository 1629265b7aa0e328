"""Labels survive every control, repeats and near-copies gain nothing, and noise without a secret is refused."""

import numpy as np
import pytest

from bartizan.policy.release import Release

DRAW = np.random.default_rng(1)
X = DRAW.normal(size=(400, 12))
SCORES = DRAW.dirichlet(np.ones(6), size=400)
NOISY = {"noise": 2.0, "key": b"k" * 32, "centre": np.zeros(12), "scale": np.ones(12)}


@pytest.mark.parametrize(
    "release",
    [
        Release(),
        Release(top=2),
        Release(digits=1),
        Release(digits=0),
        Release(labels_only=True),
        Release(**NOISY),
        Release(**NOISY, top=3, digits=1),
    ],
    ids=["nothing", "top", "digits", "whole", "labels", "noise", "all"],
)
def test_the_label_is_kept_whatever_leaves(release):
    """The highest score is where it was, alone."""
    out = release.apply(X, SCORES)
    assert np.array_equal(out.argmax(axis=1), SCORES.argmax(axis=1))
    assert (out >= 0).all()
    ordered = np.sort(out, axis=1)
    assert (ordered[:, -1] > ordered[:, -2]).all()


def test_defaults_change_nothing_and_labels_say_nothing_more():
    """No control, same scores; labels only, one-hot."""
    assert np.array_equal(Release().apply(X, SCORES), SCORES)
    assert set(np.unique(Release(labels_only=True).apply(X, SCORES))) == {0.0, 1.0}
    assert ((Release(top=2).apply(X, SCORES) > 0).sum(axis=1) == 2).all()
    rounded = Release(digits=1).apply(X, SCORES)
    assert np.allclose(rounded, rounded.round(1))
    assert np.abs(rounded - SCORES).max() <= 0.15


def test_asking_again_or_nearby_gives_the_same_noise():
    """A repeat is identical; a near-copy moves by far less than the noise; a stranger's noise is independent."""
    release = Release(**NOISY)
    flat = np.full(SCORES.shape, 1 / 6)

    def noise(x):
        return np.log(release._noisy(x, flat))

    assert np.array_equal(release.apply(X, SCORES), release.apply(X, SCORES))
    near = noise(X + DRAW.normal(0, 0.01, X.shape)) - noise(X)
    assert np.abs(near).mean() < 0.05 * np.abs(noise(X) - noise(X[::-1])).mean()
    assert abs(np.corrcoef(noise(X).ravel(), noise(X[::-1]).ravel())[0, 1]) < 0.1


def test_the_noise_is_the_key_s():
    """Another key, other noise: knowing the code is not enough."""
    other = Release(**{**NOISY, "key": b"x" * 32})
    assert np.abs(Release(**NOISY).apply(X, SCORES) - other.apply(X, SCORES)).mean() > 0.05


def test_noise_without_a_secret_is_refused():
    """A short key could be guessed; without a scale the noise would have none."""
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Release(**{**NOISY, "key": b"short"})
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Release(**{**NOISY, "scale": None})
    with pytest.raises(ValueError, match="digits >= -1"):
        Release(digits=-2)


def test_misinformation_has_nothing_to_do_with_the_model_and_is_the_same_when_asked_again():
    """The same scores in the key's order: the label is right by chance only, and near inputs are told the same."""
    release = Release(**{**NOISY, "noise": 0.0}, mislead=True)
    out = release.unrelated(X, SCORES)
    np.testing.assert_array_equal(np.sort(out, axis=1), np.sort(SCORES, axis=1))
    labels = out.argmax(axis=1)
    assert abs((labels == SCORES.argmax(axis=1)).mean() - 1 / 6) < 0.06
    np.testing.assert_array_equal(out, release.unrelated(X, SCORES))
    near = release.unrelated(X + DRAW.normal(0, 0.01, X.shape), SCORES).argmax(axis=1)
    assert (near == labels).mean() > 0.9
    other = Release(key=b"o" * 32, centre=np.zeros(12), scale=np.ones(12), mislead=True)
    assert (other.unrelated(X, SCORES).argmax(axis=1) == labels).mean() < 0.3
    with pytest.raises(ValueError, match="misinformation need a key"):
        Release(mislead=True)
