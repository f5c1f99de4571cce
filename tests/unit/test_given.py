"""Servers that exist already: one address for everybody, and none of ours is started for them."""

import re
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.checks import OWN_MIB
from cluster.configuration import render
from cluster.disk import NEEDS, find_full
from cluster.given import ask_given
from cluster.jars import MODULES
from cluster.readiness import QUESTIONS
from cluster.stack import Stack
from cluster.stamp import Stamp, check_stamp, write_stamp
from cluster.storage import FOLDERS, SERVERS, demand_owner, wanted_folders
from cluster.supervision import Process, Supervisor
from cluster.watch import Watch
from drill.stack import describe
from pipeline.addresses import LOOPBACK
from pipeline.errors import Refused, Unavailable, UsageError
from pipeline.places import MART, RAW, Places
from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings, read_settings
from pipeline.variables import GIVEN

PROGRAMME = read_programme(ROOT / "programme.toml")
ALL = {
    "LOYALTY_KAFKA": "k1.test:9092,k2.test:9092", "LOYALTY_HDFS": "nn.test:8020",
    "LOYALTY_WEBHDFS": "nn.test:9870", "LOYALTY_HBASE": "th.test:9090",
    "LOYALTY_ZOOKEEPER": "z1.test:2181,z2.test:2181", "LOYALTY_HIVE": "hs.test:10000",
}  # fmt: skip
ADDRESSES = {name for name in Settings.model_fields if name.startswith(GIVEN)}
JARS = {module: Path("jars") / module for module in MODULES}


def given(data: Path, *names: str) -> Settings:
    """Make settings in which these are given, all without names."""
    return Settings.model_validate({"data": data} | {n: ALL[n] for n in names or ALL})


def rendered(settings: Settings) -> str:
    """Render everything; gives all of it as one text."""
    settings.data.mkdir(exist_ok=True)
    places = Places(settings.data)
    render(settings, places, "UTC", JARS)
    return "\n".join(p.read_text() for p in sorted(places.conf.rglob("*")) if p.is_file())


def test_everybody_has_the_address_from_the_settings(tmp_path: Path) -> None:
    settings = given(tmp_path)
    assert settings.given == ["kafka", "hdfs", "hbase", "hive"]
    assert settings.kafka == ALL["LOYALTY_KAFKA"]
    assert settings.hdfs == "hdfs://nn.test:8020"
    assert settings.webhdfs == "http://nn.test:9870"
    assert settings.thrift == ("th.test", 9090)
    assert settings.zookeeper == ALL["LOYALTY_ZOOKEEPER"]
    assert settings.hive == ("hs.test", 10000)
    # a child reads what its parent read, and given is given to it, too
    assert settings.environment().items() >= ALL.items()
    assert Settings(data=tmp_path).environment()["LOYALTY_KAFKA"] == "embedded"


def test_no_loopback_is_left_where_all_are_given(tmp_path: Path) -> None:
    text = rendered(given(tmp_path))
    assert LOOPBACK not in text
    assert "localhost" not in text
    for line in (
        "kafka.bootstrap.servers = k1.test:9092,k2.test:9092",
        "hdfs.path = hdfs://nn.test:8020/data/raw/orders",
        "zookeeperQuorum = z1.test:2181,z2.test:2181",
        "<name>fs.defaultFS</name><value>hdfs://nn.test:8020</value>",
        "<name>dfs.replication</name><value>3</value>",
    ):
        assert line in text


def test_hosts_are_named_in_one_place() -> None:
    """Whoever writes an address beside the settings does not find a given server."""
    packages = ("pipeline", "producer", "flume", "streaming", "batch", "hive", "hbase", "cluster")
    naming = [
        path.relative_to(ROOT).as_posix()
        for package in packages for path in (ROOT / package).rglob("*.py")
        if re.search(r"127\.0\.0\.1|localhost", path.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert naming == ["pipeline/addresses.py"]


@pytest.mark.parametrize(
    ("names", "ports"),
    [
        (["LOYALTY_KAFKA"], ["kafka", "kafka_controller"]),
        (["LOYALTY_HDFS", "LOYALTY_WEBHDFS"],
         ["namenode", "namenode_http", "datanode", "datanode_ipc", "datanode_http"]),
        (["LOYALTY_HBASE", "LOYALTY_ZOOKEEPER"],
         ["hbase_master", "hbase_regionserver", "zookeeper"]),
        (["LOYALTY_HDFS", "LOYALTY_WEBHDFS", "LOYALTY_HIVE"], ["metastore", "hiveserver2"]),
    ],
)  # fmt: skip
def test_nobody_looks_for_our_own_where_one_is_given(
    tmp_path: Path, names: list[str], ports: list[str]
) -> None:
    ours = Settings.model_validate(
        {"data": tmp_path / "a"} | {f"{port}_port": 61_001 + at for at, port in enumerate(ports)}
    )
    theirs = given(tmp_path / "b", *names).model_dump(include=ADDRESSES)
    own = rendered(ours)
    other = rendered(ours.model_copy(update={"data": tmp_path / "b"} | theirs))
    for number in range(61_001, 61_001 + len(ports)):
        assert str(number) in own
        assert str(number) not in other


def test_hbase_and_hive_of_our_own_are_on_a_given_hdfs(tmp_path: Path) -> None:
    text = rendered(given(tmp_path, "LOYALTY_HDFS", "LOYALTY_WEBHDFS"))
    assert "<name>hbase.rootdir</name><value>hdfs://nn.test:8020/hbase</value>" in text
    assert text.count("hdfs://nn.test:8020/warehouse<") == 2


def test_given_servers_are_neither_formatted_nor_started_nor_need_ports(tmp_path: Path) -> None:
    found = Stamp(1, "UTC", 24, "id", "empty")
    all_given = Stack(given(tmp_path), PROGRAMME)
    steps = [step.name for step in all_given.start_steps(found, JARS)]
    assert steps == ["folders", "topic", "hbase-tables", "hive-tables", "flume", "streaming",
                     "refresh"]  # fmt: skip
    assert {c.name for c in all_given.down()} == {"flume", "streaming", "producer", "refresh"}
    kafka_given = Stack(given(tmp_path, "LOYALTY_KAFKA"), PROGRAMME)
    steps = [step.name for step in kafka_given.start_steps(found, JARS)]
    own = [step.name for step in Stack(Settings(data=tmp_path), PROGRAMME).start_steps(found, JARS)]
    assert sorted({*own} - {*steps}) == ["format-kafka", "kafka"]
    assert kafka_given.components.keys() - kafka_given.own.keys() == {"kafka"}


class Nobody(Supervisor):
    """Only our two stages run."""

    def processes(self) -> dict[str, Process]:
        """Give them; nobody has their pids."""
        return {n: Process(n, "RUNNING", 2**31 + at) for at, n in enumerate(("flume", "streaming"))}


@pytest.mark.parametrize("is_silent", [True, False])
def test_the_watcher_asks_given_servers_and_kills_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    killed: list[int] = []

    def answer(*_: object) -> None:
        if is_silent:
            raise Unavailable("it does not answer")

    clock = SimpleNamespace(now=0.0)
    made_up: dict[str, Any] = {
        "QUESTIONS": dict.fromkeys(QUESTIONS, answer), "ask_thrift": answer, "ask_hbase": answer,
        "flume_state": lambda *_: {}, "stream_state": lambda *_: {}, "load": lambda: 0,
        "kill": killed.append, "time": SimpleNamespace(monotonic=lambda: clock.now),
    }  # fmt: skip
    for name, value in made_up.items():
        monkeypatch.setattr(f"cluster.watch.{name}", value)
    watch = Watch(given(tmp_path), Nobody(Places(tmp_path)))
    for _ in range(50):
        clock.now += 10
        found = watch.look()
    assert killed == []
    assert found["kafka"]["kills"] == 0
    assert found["kafka"]["reason"] == ("it does not answer" if is_silent else "")
    # Flume is judged only where those that it needs do answer
    assert (found["flume"]["answered_at"] is None) is is_silent


def test_who_does_not_answer_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as held:  # bound, but nobody listens there
        held.bind((LOOPBACK, 0))
        nobody = f"{LOOPBACK}:{held.getsockname()[1]}"
        settings = Settings.model_validate({"data": tmp_path} | dict.fromkeys(ALL, nobody))
        with pytest.raises(Unavailable) as caught:
            ask_given(settings, patience=0)
    said = str(caught.value).splitlines()
    assert len(said) == len(ALL)
    for name, sentence in zip(ALL, said, strict=True):
        assert sentence.strip().startswith(f"{name}={nobody} does not answer: ")
        assert sentence.endswith("correct the address, or remove the setting.")
    ask_given(Settings(data=tmp_path), patience=0)


def test_a_data_folder_keeps_its_kinds_of_servers(tmp_path: Path) -> None:
    begun = write_stamp(given(tmp_path, "LOYALTY_KAFKA"), "UTC", "empty")
    other = given(tmp_path, "LOYALTY_KAFKA").model_copy(update={"given_kafka": "elsewhere:9092"})
    check_stamp(begun, other, "UTC")
    for settings in (Settings(data=tmp_path), given(tmp_path)):
        with pytest.raises(Refused, match="begun with given servers for kafka"):
            check_stamp(begun, settings, "UTC")


def test_folders_on_a_given_hdfs() -> None:
    everything = [path for path, *_ in FOLDERS]
    assert [path for path, *_ in wanted_folders(["kafka", "hdfs"])] == everything
    left = {path for path, *_ in wanted_folders(["hbase", "hive"])}
    assert {*everything} - left == {*SERVERS}
    assert {RAW, MART} <= left
    demand_owner(RAW, "flume", "flume", "lake")
    with pytest.raises(Refused, match=f"{RAW} on the given HDFS belongs to etl"):
        demand_owner(RAW, "etl", "flume", "lake")


def test_a_full_disk_of_ours_is_not_that_of_a_given_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.disk._free_mib", lambda *_: 0)
    assert len(find_full(Places(tmp_path))) == len(NEEDS) == 3
    (only,) = find_full(Places(tmp_path), given=given(tmp_path).given)
    assert "order log files" in only
    assert {*OWN_MIB} == {*given(tmp_path).given}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"LOYALTY_HDFS": "n:1"}, "LOYALTY_HDFS and LOYALTY_WEBHDFS are of one server"),
        ({"LOYALTY_ZOOKEEPER": "z:1"}, "LOYALTY_HBASE and LOYALTY_ZOOKEEPER are of one server"),
        ({"LOYALTY_HIVE": "far:1"}, "LOYALTY_HIVE (far:1) is on another machine"),
        ({"LOYALTY_HIVE": "far:1,near:1"}, "LOYALTY_HIVE has to be one host:port"),
        ({"LOYALTY_KAFKA": "k"}, "LOYALTY_KAFKA has to be embedded or host:port"),
        ({"LOYALTY_KAFKA": "k:1,"}, "LOYALTY_KAFKA has to be embedded or host:port"),
        ({"LOYALTY_KAFKA": "u:p@k:1"}, "LOYALTY_KAFKA has to be embedded or host:port"),
        ({"LOYALTY_KAFKA": "k:65536"}, "with a port from 1 to 65535"),
        ({"LOYALTY_HBASE": "h:1", "LOYALTY_ZOOKEEPER": "a:1,b:2"}, "the same port for every host"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_right_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        read_settings()
    assert says in str(caught.value)


def test_a_drills_stack_is_nobodys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the user's environment and .env give: a drill breaks what it uses."""
    (tmp_path / ".env").write_text("".join(f"{n}={v}\n" for n, v in ALL.items()))
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("LOYALTY_TOPIC", "mine")
    assert read_settings().given
    own = describe(tmp_path / "drill")
    assert own.settings.given == []
    assert own.settings.topic == own.environment["LOYALTY_TOPIC"] == "orders"
    for name, value in own.environment.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == own.settings
