"""`python -m producer`: the demo's tills, under the supervisor.

Follows the rate file (`./loyalty rate`), draws customers from the loaded customer file, and ends
at a line end on SIGTERM. It says little, on stderr.
"""

import logging
import signal
import sys
from zoneinfo import ZoneInfo

from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import read_settings
from producer.demo import STOP, Demo
from producer.log import OrderLog


def main() -> None:
    """Read the settings and sell until told to stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = read_settings()
        programme = read_programme(settings.programme)
        places = Places(settings.data)
        zone = ZoneInfo(programme.time_zone)
        with OrderLog(
            places.order_log, zone, settings.log_roll_mib, settings.log_roll_minutes
        ) as log:
            Demo(places, programme.menu, zone, log).run()
    except LoyaltyError as error:
        logging.getLogger("producer").critical("%s", error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
