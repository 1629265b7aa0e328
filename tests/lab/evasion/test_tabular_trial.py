"""One attack on rows from end to end: the figures agree with the rows, the curve never rises, cells are marked."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from tests.lab.evasion.test_tabular import SCHEMA, table

from bartizan.lab.evasion.tabular import TabularSearch
from bartizan.lab.evasion.tabular_columns import Columns
from bartizan.lab.evasion.tabular_trial import RowProblem, as_json, as_page, attack_rows, changed_most
from bartizan.lab.target import Arrays, Target, Traits
from bartizan.lab.targets.scikit import of_estimator

COLUMNS = Columns(SCHEMA, ("age", "fixed", "<b>a", "<b>b", "<b>c", "share", "sum"), ("<b>",), derived=(6,))


def problem(n=60):
    """A small forest and rows that it never saw."""
    forest = RandomForestClassifier(10, random_state=0).fit(*table(300))
    return RowProblem(of_estimator("forest", forest), *table(n, seed=1), COLUMNS, TabularSearch())


def test_the_figures_agree_with_the_rows_and_the_curve_never_rises():
    """What fell was right before and is wrong after, within the schema; nothing else was changed."""
    asked = problem()
    found = attack_rows(asked, curve=30)
    wrong = np.flatnonzero(asked.right & (asked.target.labels(found.adversarial) != asked.y))
    assert tuple(wrong) == found.fell
    assert len(found.fell) > 5
    assert np.array_equal(SCHEMA.repaired(found.adversarial, asked.x), found.adversarial)
    kept = [row for row in range(60) if row not in found.fell]
    assert np.array_equal(found.adversarial[kept], asked.x[kept])
    assert sum(stage.fell for stage in found.stages) == len(found.fell)
    values = [value.value for _, value in found.points]
    assert values == sorted(values, reverse=True)
    assert [most for most, _ in found.points] == [0, 1, 2, 4]
    words = as_json(asked, found, {})
    assert words["robust_accuracy"]["value"] == found.robust.value
    assert words["fell"] == len(found.fell)
    assert all(name != "fixed" for name, _ in changed_most(asked, found))


def test_gradients_go_first_where_there_are_any():
    """The search is asked about what still stands, so together they turn no fewer."""
    linear = of_estimator("linear", LogisticRegression(max_iter=500).fit(*table(300)))
    asked = RowProblem(linear, *table(60, seed=1), COLUMNS, TabularSearch())
    found = attack_rows(asked)
    first, second = found.stages
    assert (first.attack[:5], second.attack[:7]) == ("CAPGD", "tabular")
    assert second.standing_before == first.standing_before - first.fell


def test_what_fell_has_no_change_that_it_does_not_need():
    """Taking any one of them back gives the right answer again."""
    asked = problem()
    found = attack_rows(asked)
    fell = list(found.fell)
    for unit in map(list, SCHEMA.units):
        without = found.adversarial[fell].copy()
        without[:, unit] = asked.x[fell][:, unit]
        without = SCHEMA.repaired(without, asked.x[fell])
        moved = (without != found.adversarial[fell]).any(axis=1)
        assert (asked.target.labels(without)[moved] == asked.y[fell][moved]).all()


def test_the_page_marks_changed_cells_and_runs_nothing():
    """A column's name with a tag in it stays text; wide tables show what changed only."""
    asked = problem()
    found = attack_rows(asked)
    page = as_page(asked, found)
    assert page.count("<mark>") >= min(len(found.fell), 12)
    assert "<b>a" not in page
    assert "&lt;b&gt;" in page
    draw = np.random.default_rng(0)
    x = draw.uniform(0, 1, (20, 30)).astype(np.float32)
    schema = SCHEMA.__class__(np.zeros(30, np.float32), np.ones(30, np.float32), most_changed=1)
    columns = Columns(schema, tuple(f"c{i}" for i in range(30)), ())

    def first_column(rows):
        return np.stack([rows[:, 0], 1 - rows[:, 0]], axis=1)

    wide = Target("wide", first_column, Arrays((30,)), Traits(2))
    wide_problem = RowProblem(wide, x, (x[:, 0] < 0.5).astype(np.int64), columns, TabularSearch())
    shown = as_page(wide_problem, attack_rows(wide_problem))
    assert "The other 29 columns kept their values" in shown


def test_a_model_that_falls_silent_has_not_lost():
    """The last class means no answer."""

    def careful(rows):
        sure = rows[:, :1] > 50
        return np.where(sure, [[0.1, 0.8, 0.1]], [[0.1, 0.1, 0.8]])

    silent = Target("careful", careful, Arrays((7,)), Traits(3, abstains=True))
    x, y = table(10)
    found = attack_rows(RowProblem(silent, x[y == 1], y[y == 1], COLUMNS, TabularSearch()))
    assert found.robust == found.clean
