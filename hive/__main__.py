"""`python -m hive`: the refreshes' schedule, under the supervisor.

`python -m hive scheduled` or `nightly` is one run, which the schedule starts in a process of its
own: between two runs nothing of Hive's or HDFS's clients is in memory. It says little, on stderr.
"""

import logging
import signal
import sys

from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import read_settings


def main() -> None:
    """Keep to the schedule until told to stop, or do one run."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("hive").setLevel(logging.INFO)
    try:
        settings = read_settings()
        places = Places(settings.data)
        if sys.argv[1:]:
            from hive.keeping import keep

            # an end that is recorded
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
            keep(settings, places, sys.argv[1])
        else:
            from hive.schedule import run_schedule

            run_schedule(settings, places)
    except LoyaltyError as error:
        logging.getLogger("hive").critical("%s", error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
