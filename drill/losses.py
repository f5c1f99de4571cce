"""What `drill refeed` loses: each thing that remembers how far a log was read."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from drill.stack import UP_SECONDS, OwnStack
from pipeline.errors import LoyaltyError
from pipeline.topic import GROUPS

_PATIENCE_SECONDS: Final = 60
_GONE: Final = (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.UNKNOWN_TOPIC_OR_PART)
"""Deleted by an attempt before."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss. component: whose memory it is. stopped: who is stopped for it, in that order.

    feeds: the whole log comes into the topic again. copies: as new files. rereads: the whole topic
    comes into HDFS raw again. new_epoch: the stream begins one. halves: what is lost is half of
    something, so there have to be some batches.
    """

    component: str
    says: str
    do: Callable[[OwnStack], None]
    stopped: tuple[str, ...] = ()
    feeds: bool = False
    copies: bool = False
    rereads: bool = False
    new_epoch: bool = False
    halves: bool = False


def nothing(_stack: OwnStack) -> None:
    """Lose nothing: the log comes again all the same."""


def lose_positions(stack: OwnStack) -> None:
    """Delete the file in which Flume keeps how far it read each log file."""
    stack.places.positions.unlink()


def lose_checkpoint(stack: OwnStack) -> None:
    """Delete Spark's checkpoint."""
    shutil.rmtree(stack.places.checkpoint)


def lose_commits(stack: OwnStack) -> None:
    """Delete the newer half of what the checkpoint says was committed, and nothing else."""
    for folder in stack.places.checkpoint.iterdir():
        _forget_newer_half(folder / "commits")


def lose_part(stack: OwnStack) -> None:
    """Delete what a copy that broke off leaves out: the checkpoint's metadata, and the offsets of
    the batch before the newest.
    """
    for folder in stack.places.checkpoint.iterdir():
        (folder / "metadata").unlink()
        *_, number, _newest = _numbers(folder / "offsets")
        _forget(folder / "offsets", number)


def restore_checkpoint(stack: OwnStack) -> None:
    """Make the checkpoint what a copy of an earlier time is: without the newer half of batches."""
    for folder in stack.places.checkpoint.iterdir():
        for log in ("commits", "offsets"):
            _forget_newer_half(folder / log)


def lose_offsets(stack: OwnStack) -> None:
    """Delete the consumer groups of Flume's sinks, which must have no members."""
    _insist(stack, lambda admin: admin.delete_consumer_groups(list(GROUPS), request_timeout=5))
    if kept := [group for group in GROUPS if stack.topic.committed(group)]:
        raise LoyaltyError(f"Kafka still has offsets of {', '.join(kept)}: they are not lost.")


def lose_topic(stack: OwnStack) -> None:
    """Delete the topic, and let `up` make it anew, as it does whenever there is none."""
    _insist(stack, lambda admin: admin.delete_topics([stack.settings.topic], operation_timeout=5))
    end = time.monotonic() + _PATIENCE_SECONDS
    while stack.topic.leaders():
        if time.monotonic() > end:
            raise LoyaltyError("The topic was deleted and is still there.")
        time.sleep(0.2)
    stack.ok("up", "--empty", timeout=UP_SECONDS)


def lose_topic_and_positions(stack: OwnStack) -> None:
    """Delete both: the new topic gets the whole log."""
    lose_positions(stack)
    lose_topic(stack)


def lose_everything(stack: OwnStack) -> None:
    """Delete all of it; with a topic its groups' offsets go."""
    lose_offsets(stack)
    lose_checkpoint(stack)
    lose_topic_and_positions(stack)


_READERS: Final = ("streaming", "flume")
LOSSES: Final = {
    "nothing": Loss("flume", "the whole log again, in new files", nothing, feeds=True, copies=True),
    "positions": Loss("flume", "without its position file", lose_positions, ("flume",), feeds=True),
    "checkpoint": Loss("streaming", "without its checkpoint", lose_checkpoint, ("streaming",),
                       new_epoch=True),
    "commits": Loss("streaming", "without half of its commits", lose_commits, ("streaming",),
                    new_epoch=True, halves=True),
    "part": Loss("streaming", "with a part of its checkpoint", lose_part, ("streaming",),
                 new_epoch=True, halves=True),
    "restored": Loss("streaming", "with an older checkpoint", restore_checkpoint, ("streaming",),
                     new_epoch=True, halves=True),
    "offsets": Loss("flume", "without its groups' offsets", lose_offsets, ("flume",),
                    rereads=True),
    "topic": Loss("kafka", "with a new topic", lose_topic, _READERS),
    "log": Loss("kafka", "with a new topic, and the whole log again", lose_topic_and_positions,
                _READERS, feeds=True, new_epoch=True),
    "everything": Loss("kafka", "without all of these", lose_everything, _READERS, feeds=True,
                       new_epoch=True),
}  # fmt: skip
"""By the name that `--only` takes."""


def _forget_newer_half(folder: Path) -> None:
    """Delete the newer half of a log of Spark's, a file a batch, each with its checksum."""
    numbers = _numbers(folder)
    for number in numbers[len(numbers) // 2 :]:
        _forget(folder, number)


def _numbers(folder: Path) -> list[int]:
    return sorted(int(file.name) for file in folder.iterdir() if file.name.isdecimal())


def _forget(folder: Path, number: int) -> None:
    (folder / str(number)).unlink()
    (folder / f".{number}.crc").unlink(missing_ok=True)


def _insist(stack: OwnStack, ask: Callable[[Any], dict[str, Any]]) -> None:
    """Ask Kafka until it has done it: a group that was just left may still have its members."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            # the client has to live as long as its futures
            admin = AdminClient({"bootstrap.servers": stack.settings.kafka, "log_level": 0})
            for future in ask(admin).values():
                if future.exception(10) is None or _is_gone(future.exception()):
                    continue
                future.result()
        except (KafkaException, TimeoutError) as error:
            if time.monotonic() > end:
                raise LoyaltyError(f"Kafka does not delete it: {error}") from error
            time.sleep(1)
        else:
            return


def _is_gone(error: BaseException | None) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() in _GONE
