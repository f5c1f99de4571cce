"""Components as data: what is written in the component.toml files fits together."""

import re
from pathlib import Path

import pytest

from cluster.classes import class_folder
from cluster.component import FOLDERS, STAGES, folder_of, read_components
from cluster.configuration import CONFIGURED, render
from cluster.jars import MODULES, faulty_jars
from cluster.java import JVM, command, environment, java_command
from cluster.stack import Stack
from pipeline.errors import Refused, UsageError
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import Settings, read_settings

STEPS = {"folders", "topic", "hbase-tables", "hive-tables", "members"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def jars_in(folder: Path) -> dict[str, Path]:
    return {module: folder / module for module in MODULES}


def test_needs_and_ports_name_what_exists() -> None:
    components = read_components()
    for component in components.values():
        assert set(component.needs) <= components.keys() | STEPS
        assert set(component.ports) <= Settings.model_fields.keys()
    assert list(components)[:3] == ["kafka", "namenode", "datanode"]


def test_hiveserver2_keeps_few_planned_queries(settings: Settings) -> None:
    """With Calcite's default of 1,000 its heap of 256 MiB was full after some 550 queries."""
    words = command(read_components()["hiveserver2"], settings, jars_in(settings.data))
    assert "-Dcalcite.metadata.handler.cache.maximum.size=20" in words
    assert not environment(read_components()["hiveserver2"], settings).get("HADOOP_USER_NAME")


@pytest.mark.parametrize(
    ("component", "module", "first"),
    [
        ("flume", "flume", "flume/*"), ("flume", "hbase", "flume/*"),
        ("hbase", "hbase", "hbase/*"), ("thrift", "hbase", "hbase/*"),
        ("hiveserver2", "hive", "hive/hive-exec-4.0.1.jar"),
    ],
)  # fmt: skip
def test_classes_of_our_own_stand_before_those_of_the_jars(
    settings: Settings, component: str, module: str, first: str
) -> None:
    jars = jars_in(settings.data)
    words = java_command(read_components()[component], settings, jars)
    entries = words[words.index("-cp") + 1].split(":")
    of, _, entry = first.partition("/")
    assert entries.index(str(class_folder(module))) < entries.index(f"{jars[of]}/{entry}")


def test_hdfs_raw_gets_few_files_a_year() -> None:
    """With one a minute the NameNode's heap of 64 MB was full after some months."""
    conf = (folder_of("flume") / "conf" / "flume.conf.j2").read_text(encoding="utf-8")
    (seconds,) = re.findall(
        r"^loyalty\.sinks\.hdfs\.hdfs\.rollInterval = (\d+)$", conf, re.MULTILINE
    )
    assert 365 * 86_400 / int(seconds) <= 10_000
    assert "hdfs.rollCount = 0\n" in conf


def test_every_port_of_the_settings_belongs_to_one_component() -> None:
    ports = [port for component in read_components().values() for port in component.ports]
    assert sorted(ports) == sorted(name for name in Settings.model_fields if name.endswith("_port"))


def test_every_configuration_renders_and_names_no_foreign_host(settings: Settings) -> None:
    places = Places(settings.data)
    settings.data.mkdir()
    render(settings, places, "America/New_York", jars_in(settings.data))
    rendered = [p for p in places.conf.rglob("*") if p.is_file()]
    assert {p.relative_to(places.conf).parts[0] for p in rendered} == set(CONFIGURED)
    for path in rendered:
        text = path.read_text(encoding="utf-8")
        assert "{{" not in text, path
        hosts = set(re.findall(r"(?:://|=|>)((?:\d+\.){3}\d+|localhost)(?=[:<\s/,@]|$)", text))
        assert hosts <= {"127.0.0.1", "localhost"}, path
        assert "0.0.0.0" not in text  # noqa: S104  # looked for, not bound


def test_whoever_uses_hbase_has_its_folder_in_the_data_folder(settings: Settings) -> None:
    """Its default is named after the user, and in a namespace every user is named root."""
    places = Places(settings.data)
    settings.data.mkdir()
    render(settings, places, "America/New_York", jars_in(settings.data))
    users = [name for name in CONFIGURED if (folder_of(name) / "jars.sha256").exists()
             and "hbase-client-" in (folder_of(name) / "jars.sha256").read_text()]  # fmt: skip
    assert {"flume", "hbase"} <= set(users)
    for name in users:
        site = (places.conf / name / "hbase-site.xml").read_text(encoding="utf-8")
        assert f"<name>hbase.tmp.dir</name><value>{settings.data}/" in site


def test_the_generated_secret_is_readable_by_its_owner_only(settings: Settings) -> None:
    places = Places(settings.data)
    settings.data.mkdir()
    render(settings, places, "America/New_York", jars_in(settings.data))
    secret = places.secrets / "metastore"
    assert secret.stat().st_mode & 0o777 == 0o600
    before = secret.read_text()
    render(settings, places, "America/New_York", jars_in(settings.data))
    assert secret.read_text() == before
    assert len(before) >= 24


def test_supervisors_configuration_is_one_that_supervisor_reads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisor.options import ServerOptions

    chosen = settings.model_copy(update={"server_log_mib": 7, "server_log_files": 4})
    stack = Stack(chosen, read_programme(chosen.programme))
    monkeypatch.setattr(stack.supervisor, "start_daemon", lambda: None)
    stack.prepare(jars_in(settings.data))
    places, components = stack.places, stack.components
    options = ServerOptions()
    options.configfile = str(places.run / "supervisord.conf")
    options.process_config(do_usage=False)
    groups = {group.name: group for group in options.process_group_configs}
    assert groups.keys() == components.keys() | {"watcher"}
    flume = groups["flume"].process_configs[0]
    assert flume.environment["LOYALTY_DATA"] == str(settings.data)
    assert flume.stdout_logfile_maxbytes == 7 << 20
    assert flume.stdout_logfile_backups == 4
    assert flume.autorestart
    assert not flume.autostart


def test_a_jar_that_differs_from_its_lock_is_named(tmp_path: Path) -> None:
    lock = (folder_of("hive-log4j1") / "jars.sha256").read_text().split()
    assert faulty_jars("hive-log4j1", tmp_path) == [lock[1]]
    (tmp_path / lock[1]).write_bytes(b"another jar")
    assert faulty_jars("hive-log4j1", tmp_path) == [lock[1]]


def test_every_module_of_the_pom_has_a_lock() -> None:
    pom = (folder_of("kafka").parent / "pom.xml").read_text()
    modules = [m.removeprefix("../") for m in re.findall(r"<module>(.*?)</module>", pom)]
    assert modules == list(MODULES)
    for module in MODULES:
        lines = (folder_of(module) / "jars.sha256").read_text().splitlines()
        assert lines
        assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)
    assert {*FOLDERS, *STAGES} >= {"kafka", "flume"}


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_KAFKA_PORT", "80")
    monkeypatch.setenv("LOYALTY_PARTITION_HOURS", "5")
    with pytest.raises(
        UsageError, match=r"(?s)LOYALTY_KAFKA_PORT.*LOYALTY_PARTITION_HOURS"
    ) as caught:
        read_settings()
    assert "no divisor of 24" in str(caught.value)


def test_a_data_folder_with_a_space_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_DATA", "my data")
    with pytest.raises(UsageError, match=r"LOYALTY_DATA .*no spaces"):
        read_settings()


def test_a_data_folder_keeps_its_zone_and_its_partitions(settings: Settings) -> None:
    from cluster import stamp

    settings.data.mkdir()
    assert stamp.read_stamp(settings) is None
    made = stamp.write_stamp(settings, "America/New_York", "demo")
    assert stamp.read_stamp(settings) == made
    stamp.check_stamp(made, settings, "America/New_York")
    with pytest.raises(Refused, match="Asia/Kolkata"):
        stamp.check_stamp(made, settings, "Asia/Kolkata")
    with pytest.raises(Refused, match="partitions of 24 hours"):
        stamp.check_stamp(
            made, settings.model_copy(update={"partition_hours": 6}), "America/New_York"
        )
    (settings.data / "stamp.json").write_text('{"version": 99}')
    with pytest.raises(Refused, match="version 99"):
        stamp.read_stamp(settings)


def test_the_schemas_scripts_are_unpacked_by_debians_python_too(tmp_path: Path) -> None:
    """Without tarfile's filters, which Python 3.11.2 does not have."""
    import io
    import tarfile

    from cluster.jars import SCHEMA_SCRIPTS, unpack_scripts

    with tarfile.open(tmp_path / "hive.tar.gz", "w:gz") as tar:
        for name in (f"hive-4/{SCHEMA_SCRIPTS}/hive-schema.sql", "hive-4/lib/a.jar"):
            entry = tarfile.TarInfo(name)
            entry.size = 3
            tar.addfile(entry, io.BytesIO(b"sql"))
    unpack_scripts(tmp_path)
    assert (tmp_path / SCHEMA_SCRIPTS / "hive-schema.sql").read_bytes() == b"sql"
    assert not list(tmp_path.rglob("a.jar"))


def test_an_unknown_time_zone_is_a_sentence(tmp_path: Path) -> None:
    from pipeline.programme import read_programme

    file = tmp_path / "programme.toml"
    file.write_text('time_zone = "Mars/X"\ncurrency = "USD"\nmenu = []\n')
    with pytest.raises(Refused, match=r"time_zone.*Mars/X.*no IANA"):
        read_programme(file)


def test_sparks_jvm_has_the_options_of_all_others(tmp_path: Path, settings: Settings) -> None:
    render(settings, Places(tmp_path), "UTC", {"spark": Path("x")})
    conf = (tmp_path / "conf/spark/spark-defaults.conf").read_text()
    (options,) = (line for line in conf.splitlines() if "extraJavaOptions" in line)
    assert set(JVM) <= set(options.split())
