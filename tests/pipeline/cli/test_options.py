"""The values of options: dates and shares."""

import datetime

import pytest
import typer

from pipeline.cli.options import DateRange, parse_date, parse_dates, parse_earlier_date, parse_share


def day(days_ago: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    return (today - datetime.timedelta(days=days_ago)).isoformat()


def test_dates_have_names() -> None:
    assert parse_date("2026-11-20") == "2026-11-20"
    assert parse_date("today") == day(0)
    assert parse_date("yesterday") == day(1)
    assert parse_earlier_date("yesterday") == day(1)
    assert parse_earlier_date("previous") == "previous"


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-20T23:30", "Europe/Berlin", "2026-11-20"),
        ("2026-11-20T22:30", "Europe/Berlin", "2026-11-19"),
        ("2026-11-20T10:30", "Pacific/Kiritimati", "2026-11-20"),
        ("2026-11-20T09:30", "America/Los_Angeles", "2026-11-19"),
        ("2026-11-20T07:30", "America/Los_Angeles", "2026-11-18"),
    ],
)
def test_yesterday_in_a_zone(
    now: str, zone: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    instant = datetime.datetime.fromisoformat(f"{now}+00:00")

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return instant.astimezone(tz)

    monkeypatch.setattr("pipeline.cli.options.datetime.datetime", Clock)
    assert parse_date(f"yesterday@{zone}") == expected


@pytest.mark.parametrize("zone", ["", "Berlin", "Europe", "../etc/passwd", "a b"])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a zone such as Europe/Berlin after @"):
        parse_date(f"today@{zone}")


def test_a_range_has_both_of_its_ends() -> None:
    dates = parse_dates("2026-02-27..2026-03-01")
    assert dates == DateRange(first="2026-02-27", last="2026-03-01")
    assert dates.days() == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert parse_dates("yesterday..today").days() == [day(1), day(0)]
    assert parse_dates("2026-02-27..2026-02-27").days() == ["2026-02-27"]


def test_a_share_is_from_0_to_1() -> None:
    assert [parse_share(value) for value in ("0", "1", "5e-2")] == [0.0, 1.0, 0.05]
    for value in ("-0.1", "1.1", "nan", "a third", ""):
        with pytest.raises(typer.BadParameter, match="expected a share from 0 to 1, got"):
            parse_share(value)
