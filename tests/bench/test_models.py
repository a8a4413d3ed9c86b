"""The verdict of a row follows from its ratio or its own figure, its target and the load generator."""

import pytest

from channels.bench.models import BUSY, Row, Target, Verdict, figures


def row(
    *ours: float, against: tuple[float, ...] = (), target: Target | None = None, busy: float = 0.0
) -> Row:
    """A row of these measurements."""
    return Row(
        name="read",
        what="read 20 posts",
        ours=figures("GET …/posts", "/s", ours),
        baseline=figures("an empty handler", "/s", against) if against else None,
        target=target,
        generator_busy=busy,
    )


AT_LEAST_HALF = Target(bound="at_least", value=0.5)
AT_MOST_HALF = Target(bound="at_most", value=0.5)


@pytest.mark.parametrize(
    ("target", "ours", "verdict"),
    [
        (AT_LEAST_HALF, 501, Verdict.MET),
        (AT_LEAST_HALF, 500, Verdict.MET),
        (AT_LEAST_HALF, 499, Verdict.MISSED),
        (AT_MOST_HALF, 499, Verdict.MET),
        (AT_MOST_HALF, 500, Verdict.MET),
        (AT_MOST_HALF, 501, Verdict.MISSED),
    ],
)
def test_a_ratio_meets_its_target_up_to_the_exact_value(
    target: Target, ours: float, verdict: Verdict
) -> None:
    assert row(ours, against=(1000,), target=target).verdict is verdict


@pytest.mark.parametrize(
    ("bound", "ours", "verdict"),
    [
        ("at_most", 150, Verdict.MET),
        ("at_most", 150.1, Verdict.MISSED),
        ("at_least", 150, Verdict.MET),
        ("at_least", 149.9, Verdict.MISSED),
    ],
)
def test_without_a_baseline_the_target_applies_to_our_own_figure(
    bound: str, ours: float, verdict: Verdict
) -> None:
    target = Target.model_validate({"bound": bound, "value": 150})
    judged = row(ours, target=target)
    assert (judged.ratio, judged.verdict) == (None, verdict)


def test_without_a_baseline_the_median_is_judged() -> None:
    target = Target(bound="at_most", value=150)
    assert row(140, 149, 900, target=target).verdict is Verdict.MET
    assert row(140, 151, 152, target=target).verdict is Verdict.MISSED


def test_the_ratio_is_the_median_of_the_ratios_of_pairs() -> None:
    # The ratios of the pairs are 0.5, 2 and 0.75.
    measured = row(100, 600, 200 * 0.75, against=(200, 300, 200), target=AT_LEAST_HALF)
    assert measured.ratio == 0.75


def test_a_ratio_needs_both_sides() -> None:
    assert row(100).ratio is None
    assert row(100).model_copy(update={"ours": None}).ratio is None


def test_both_sides_need_the_same_number_of_values() -> None:
    with pytest.raises(ValueError, match="in pairs"):
        row(100, 200, against=(100,))


@pytest.mark.parametrize("ours", [900, 100], ids=["would be met", "would be missed"])
def test_a_row_with_a_busy_load_generator_is_not_judged(ours: float) -> None:
    def judged(busy: float) -> Verdict:
        return row(ours, against=(1000,), target=AT_LEAST_HALF, busy=busy).verdict

    assert judged(BUSY) is Verdict.GENERATOR_BOUND
    assert judged(BUSY - 0.01) is (Verdict.MET if ours == 900 else Verdict.MISSED)


def test_a_row_with_refusals_does_not_meet_its_target() -> None:
    served = row(900, against=(1000,), target=AT_LEAST_HALF)
    assert served.verdict is Verdict.MET
    refused = served.model_copy(update={"refused": {"503": 1}})
    assert refused.verdict is Verdict.MISSED
    # Without a target they are shown only.
    assert refused.model_copy(update={"target": None}).verdict is Verdict.MEASURED


def test_without_a_target_a_row_is_only_measured() -> None:
    assert row(100, against=(1000,)).verdict is Verdict.MEASURED
    assert row(100).verdict is Verdict.MEASURED


def test_a_row_without_figures_is_skipped() -> None:
    left_out = Row(name="import", what="a million", skipped="no bulk import")
    assert (left_out.verdict, left_out.ratio) == (Verdict.SKIPPED, None)
    assert row(100).model_copy(update={"ours": None}).verdict is Verdict.SKIPPED


def test_figures_are_rounded_to_four_digits_and_have_a_median() -> None:
    measured = figures("a call", "ms", [3.00004, 1.00006, 2.0])
    assert measured.values == (3.0, 1.0001, 2.0)
    assert measured.median == 2.0
    assert figures("a call", "ms", [1, 2]).median == 1.5
