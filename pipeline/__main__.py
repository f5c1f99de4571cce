"""`./loyalty` ends here: `python -m pipeline COMMAND …`."""

import os
import sys


def hold_standard_streams() -> None:
    """Let a closed standard stream (`>&-`) be an empty one.

    Else the first file or connection that is opened would get its number, and take what is meant
    for it. A closed input stays None for Python, so that who needs it can say so.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
            if name != "stdin":
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def main() -> None:
    """Run the command line; Ctrl-C while its modules are loaded has a sentence, too."""
    hold_standard_streams()
    if os.environ.get("_LOYALTY_COMPLETE"):
        from pipeline.completion import main as complete

        complete(sys.argv[1:])
        return
    try:
        from pipeline.cli import main as run
    except KeyboardInterrupt:
        print("stopped by Ctrl-C: nothing was done.", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
