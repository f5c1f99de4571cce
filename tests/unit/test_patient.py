"""When the watcher's patience with a component is over; times are made up."""

from cluster.patient import GRACE_SECONDS, PATIENCE_SECONDS, Patient, stretch


def ask(
    patient: Patient, seconds: int, *, every: int = 5, age: float = 0, certain: bool = False
) -> int | None:
    """Ask in vain for so long; gives the second at which its process 7 would be killed."""
    for now in range(0, seconds + 1, every):
        patient.miss(7, "no answer", now, age=age + now, certain=certain)
        if patient.is_given_up(now, PATIENCE_SECONDS):
            return now
    return None


def test_a_slow_start_is_left_alone() -> None:
    assert ask(Patient(), GRACE_SECONDS + PATIENCE_SECONDS - 5) is None


def test_a_start_without_end_is_not() -> None:
    assert ask(Patient(), 300) == GRACE_SECONDS + PATIENCE_SECONDS


def test_the_start_is_over_with_the_first_real_answer() -> None:
    patient = Patient()
    patient.answer(7)
    assert ask(patient, 300) == PATIENCE_SECONDS


def test_an_answer_that_is_no_proof_does_not_end_the_start() -> None:
    patient = Patient()
    patient.answer(7, proof=False)
    assert ask(patient, GRACE_SECONDS) is None


def test_the_answer_of_the_process_before_does_not_end_the_start() -> None:
    patient = Patient()
    patient.answer(6)
    assert ask(patient, GRACE_SECONDS) is None


def test_who_has_certainly_ended_is_given_up_at_the_second_question() -> None:
    assert ask(Patient(), 300, certain=True) == 5
    patient = Patient()
    assert ask(patient, 0, certain=True) is None
    patient.miss(7, "starting", 5, age=5, certain=False)
    assert ask(patient, 0, certain=True) is None, "not twice in a row"


def test_an_answer_in_between_begins_the_patience_anew() -> None:
    patient = Patient()
    patient.answer(7)
    assert ask(patient, PATIENCE_SECONDS - 5) is None
    patient.answer(7)
    assert ask(patient, PATIENCE_SECONDS - 5) is None


def test_three_questions_at_least_however_long_each_takes() -> None:
    patient = Patient()
    patient.answer(7)
    assert ask(patient, 300, every=60) == 120


def test_it_is_stuck_after_half_of_the_patience_and_no_more_when_it_answers() -> None:
    patient = Patient()
    patient.answer(7)
    ask(patient, 5)
    assert not patient.is_stuck(5, PATIENCE_SECONDS)
    patient.miss(7, "no answer", 10, age=0, certain=False)
    assert patient.is_stuck(10, PATIENCE_SECONDS)
    patient.answer(7)
    assert not patient.is_stuck(12, PATIENCE_SECONDS)


def test_each_kill_that_brings_no_answer_doubles_the_patience_up_to_a_bound() -> None:
    patient, seconds = Patient(), []
    for _ in range(7):
        seconds.append(ask(patient, 3000))
        patient.kill()
    assert [at and at - GRACE_SECONDS for at in seconds] == [20, 40, 80, 160, 320, 320, 320]
    patient.answer(7, proof=False)
    patient.kill()
    assert ask(patient, 3000) == GRACE_SECONDS + 320, "it has only talked"
    patient.answer(7)
    assert ask(patient, 3000) == PATIENCE_SECONDS
    patient.kill()
    assert ask(patient, 3000) == 2 * PATIENCE_SECONDS


def test_who_has_ended_again_and_again_is_given_more_questions() -> None:
    patient, seconds = Patient(), []
    for _ in range(3):
        seconds.append(ask(patient, 300, certain=True))
        patient.kill()
    assert seconds == [5, 15, 35]


def test_status_is_not_told_later_because_kills_did_not_help() -> None:
    patient = Patient()
    for _ in range(3):
        patient.kill()
    patient.answer(7, proof=False)
    for now in (100, 105, 110):
        patient.miss(7, "no answer", now, age=GRACE_SECONDS, certain=False)
    assert patient.is_stuck(110, PATIENCE_SECONDS)


def test_who_was_killed_in_vain_is_stuck_until_it_answers_however_young_it_is() -> None:
    patient = Patient()
    patient.miss(6, "no answer", 0, age=5, certain=False)
    assert not patient.is_stuck(0, PATIENCE_SECONDS)
    patient.kill()
    patient.miss(7, "no answer", 5, age=5, certain=False)
    assert patient.is_stuck(5, PATIENCE_SECONDS)
    patient.answer(7)
    assert not patient.is_stuck(10, PATIENCE_SECONDS)


def test_a_busy_machine_is_given_more_time() -> None:
    assert [stretch(load, 4) for load in (0, 1, 4, 8, 20, 1000)] == [1, 1, 1, 2, 5, 5]
