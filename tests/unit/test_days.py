"""Which dates are summed again, and what tells the days of a snapshot from others."""

from datetime import date

from hive.days import Day, changed_dates, digests
from hive.sources import fingerprint

FIRST, SECOND, THIRD = (date(2019, 4, day) for day in (1, 2, 3))


def status(children: int, at: int) -> dict[str, int]:
    return {"childrenNum": children, "modificationTime": at}


def test_a_fingerprint_changes_with_a_file_and_with_a_generation() -> None:
    found = [
        fingerprint("odr_hr=0", generations)
        for generations in (
            {"g=1": status(1, 10)},
            {"g=1": status(2, 10)},  # two files of one millisecond
            {"g=1": status(2, 11)},
            {"g=9": status(2, 11), "g=10": status(1, 12)},
            {"g=10": status(1, 12)},
        )
    ]
    assert len(set(found)) == 4
    assert found[-1] == found[-2]  # an old generation that is gone is no news


def test_dates_are_summed_that_are_new_or_other_or_gone() -> None:
    days = {FIRST: Day(1, "a"), SECOND: Day(2, "b")}
    same = {FIRST: "a", SECOND: "b"}
    assert changed_dates(days, same, THIRD) == []
    assert changed_dates(days, same | {THIRD: "c"}, THIRD) == [THIRD]
    assert changed_dates(days, same | {THIRD: "c"}, SECOND) == []
    assert changed_dates(days, {FIRST: "x"}, THIRD) == [FIRST, SECOND]
    assert changed_dates({FIRST: Day(1, "")}, {}, THIRD) == []


def test_a_digest_is_of_all_days_up_to_its_date() -> None:
    days = {FIRST: Day(1, "a"), THIRD: Day(1, "c")}
    before = digests(days, [FIRST, SECOND, THIRD])
    assert before[FIRST] == before[SECOND] != before[THIRD]
    assert digests(dict(reversed(days.items())), [THIRD])[THIRD] == before[THIRD]
    for other in (Day(2, "a"), Day(1, "x")):
        after = digests(days | {FIRST: other}, [FIRST, SECOND, THIRD])
        assert not set(after.values()) & set(before.values())
    late = digests(days | {SECOND: Day(1, "b")}, [FIRST, THIRD])
    assert late[FIRST] == before[FIRST]
    assert late[THIRD] != before[THIRD]
