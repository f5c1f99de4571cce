"""docker-compose.yml repeats what Docker has to know; each is compared with where it stands."""

import re
from typing import Any

import pytest
import yaml

from cluster.component import read_components
from cluster.container.care import STAGES
from cluster.container.main_process import needs_of
from cluster.jars import MODULES
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS
from pipeline.settings import ROOT, Settings
from pipeline.variables import variable_of

COMPONENTS = read_components()
ONCE = {"folders": "storage", "topic": "storage", "hbase-tables": "hbase-tables",
        "hive-tables": "hive-tables", "members": "demo"}  # fmt: skip
"""Steps of the native start, and the container that makes the same."""
ON_DISK = {"streaming", "loyalty"}
"""Whose temporary files may be large."""
INNER = {"kafka_controller_port", "namenode_port", "datanode_port", "datanode_ipc_port",
         "hbase_master_port", "hbase_regionserver_port", "zookeeper_port",
         "metastore_port"}  # fmt: skip
"""Ports for the other components only."""


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    read = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = read["services"]
    return found


def running(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in services.items() if one["command"][0] == "run"}


def above(services: dict[str, dict[str, Any]], name: str) -> set[str]:
    """Give everything that has to be there before a service is started."""
    found: set[str] = set()
    for need in services[name].get("depends_on", {}):
        found |= {need} | above(services, need)
    return found


def test_every_component_has_a_container_of_its_name(services: dict[str, dict[str, Any]]) -> None:
    assert {name: one["command"] for name, one in running(services).items()} == {
        name: ["run", name] for name in COMPONENTS
    }
    rest = services.keys() - running(services).keys()
    assert rest == {*ONCE.values(), "settings", "loyalty"}


def test_what_a_component_needs_is_there_before_it(services: dict[str, dict[str, Any]]) -> None:
    for name, component in COMPONENTS.items():
        wanted = {ONCE.get(need, need) for need in component.needs}
        assert wanted <= above(services, name), name
    for name, service in services.items():
        assert name in {"settings"} or "settings" in above(services, name), name
        for need, how in service.get("depends_on", {}).items():
            once = services[need]["command"][0] == "make"
            wanted_condition = "service_completed_successfully" if once else "service_healthy"
            if (name, need) == ("datanode", "namenode"):  # each waits for the other's blocks
                wanted_condition = "service_started"
            assert how["condition"] == wanted_condition


def test_published_ports_are_the_settings_on_loopback(services: dict[str, dict[str, Any]]) -> None:
    settings = Settings()
    for name, component in COMPONENTS.items():
        outer = [port for port in component.ports if port not in INNER]
        expected = [
            "127.0.0.1:${%s:-%d}:${%s:-%d}" % ((variable_of(p), getattr(settings, p)) * 2)  # noqa: UP031
            for p in outer
        ]
        assert services[name].get("ports", []) == expected, name
        # a shell's own value means the same inside
        inside = services[name]["environment"]
        for port in outer:
            assert inside[variable_of(port)] == "${%s:-%d}" % (  # noqa: UP031
                variable_of(port), getattr(settings, port),
            )  # fmt: skip


def test_a_server_has_a_volume_of_its_own_and_the_stages_share_one(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        own = name in COMPONENTS and name not in STAGES
        temporary = [f"{name}-tmp:/data/tmp"] if name in ON_DISK else []
        assert service["volumes"] == [f"{name if own else 'loyalty'}:/data", *temporary]
        assert len(service["tmpfs"]) == (1 if temporary else 2)


def test_there_is_time_to_end_and_room_for_the_heap(services: dict[str, dict[str, Any]]) -> None:
    for name, service in running(services).items():
        seconds = int(service["stop_grace_period"].removesuffix("s"))
        assert seconds > STOP_SECONDS.get(name, DEFAULT_STOP_SECONDS), name
        heap = sum(int(one) for option in COMPONENTS[name].heap
                   for one in re.findall(r"(?:-Xmx|DirectMemorySize=)(\d+)m", option))  # fmt: skip
        assert int(service["mem_limit"].removesuffix("m")) > 2 * heap, name


def test_everything_is_as_closed_as_everything_else(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"] is True, name
        assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}
        long_lived = service["command"][0] != "make"
        wanted = "no" if name == "settings" else "on-failure:5"
        assert service["restart"] == ("unless-stopped" if long_lived else wanted)
        assert ("healthcheck" in service) is long_lived


def test_a_child_is_judged_after_those_that_its_answer_needs() -> None:
    assert needs_of("kafka") == set()
    assert needs_of("hbase") == {"datanode", "namenode", "thrift"}
    assert needs_of("flume") == {"kafka", "hbase", "datanode", "namenode"}


def test_the_image_is_made_of_debian_and_of_every_pom() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", text, re.MULTILINE)
    made = {name for _, name in stages}
    assert {source for source, _ in stages} - made == {"debian:bookworm-slim"}
    assert "# syntax=" not in text
    for module in MODULES:
        folder = "flume" if module == "flume" else f"cluster/{module}"
        assert f"COPY {folder}/pom.xml " in text
