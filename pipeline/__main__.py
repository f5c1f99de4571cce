"""`./loyalty` ends here: `python -m pipeline COMMAND …`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while its modules are loaded is no traceback either."""
    try:
        from pipeline.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
