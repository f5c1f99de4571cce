"""The command line and environment of a component's process."""

import sys
from pathlib import Path
from typing import Final

from cluster import spark
from cluster.classes import class_folder
from cluster.component import Component
from pipeline.places import Places
from pipeline.settings import Settings

MARK: Final = "STACK_OF"
"""A variable in every process of ours, with its data folder: how orphans are told from others."""

JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    # the first compiler alone: less memory and CPU up to some 500 orders a second
    "-XX:TieredStopAtLevel=1",
    # the jars are those of our hashes, so their byte code is not verified at each start
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
    "-Djava.net.preferIPv4Stack=true",
)


def _filled(text: str, settings: Settings, jars: dict[str, Path]) -> str:
    """Put folders and settings in: {conf}, {jars}/MODULE, {classes}/MODULE, {thrift_port}."""
    values = settings.model_dump()
    if text.startswith("{jars}/"):
        module, _, rest = text.removeprefix("{jars}/").partition("/")
        return f"{jars[module]}/{rest}"
    if text.startswith("{classes}/"):
        return str(class_folder(text.removeprefix("{classes}/")))
    return text.format(conf=settings.data / "conf", listen=settings.listen, **values)


def java_command(
    component: Component,
    settings: Settings,
    jars: dict[str, Path],
    *,
    main: str | None = None,
    arguments: tuple[str, ...] | None = None,
) -> list[str]:
    """Give the JVM's command line; `main` and `arguments` replace the server's own.

    (A tool of a server runs with the class path and options of its process.)
    """
    # a property and not the environment: Hive takes the variable for somebody to impersonate
    user = [f"-DHADOOP_USER_NAME={component.user}"] if component.user else []
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in component.opens]
    classpath = ":".join(_filled(entry, settings, jars) for entry in component.classpath)
    given = component.arguments if arguments is None else arguments
    temporary = f"-Djava.io.tmpdir={Places(settings.data).temporary}"
    return [
        "java", *component.heap, *JVM, temporary, *component.options, *user, *opens,
        "-cp", classpath, main or component.main,
        *(_filled(argument, settings, jars) for argument in given),
    ]  # fmt: skip


def command(component: Component, settings: Settings, jars: dict[str, Path]) -> list[str]:
    """Give the command that the supervisor runs."""
    if component.module:
        return [sys.executable, "-m", component.module]
    return java_command(component, settings, jars)


def environment(component: Component, settings: Settings) -> dict[str, str]:
    """Give what the process needs in its environment beyond the supervisor's own."""
    # in the locale C a JVM cannot name files whose names are not ASCII
    values = {"MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8", MARK: str(settings.data)}
    if component.module:
        values |= settings.environment()
    if component.module == "streaming":
        values |= spark.environment(settings)
    return values
