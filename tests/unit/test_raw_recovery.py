"""What an agent left open: which names are made final."""

from flume.recovery import final_name


def test_only_files_in_use_get_another_name() -> None:
    assert final_name(".orders.17.log.tmp") == "orders.17.log"
    assert final_name("orders.16.log") is None
    assert final_name(".other.tmp") is None
