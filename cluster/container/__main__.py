"""`python -m cluster.container run NAME | make WHAT | watch`: see the package."""

import sys

from cluster.container.main_process import MainProcess
from cluster.container.making import make
from cluster.container.ready import open_stack, prepare
from cluster.container.watching import idle, watch
from pipeline.errors import LoyaltyError
from pipeline.wording import as_typed_here


def main(task: str, what: str = "") -> int:
    """Do the task; gives the exit code."""
    stack = open_stack()
    if task == "make":
        make(stack, what)
        return 0
    if task == "watch":
        watch(stack)
    component = stack.components[what]
    if component.is_given(stack.settings) or (
        what == "refresh" and not stack.settings.is_scheduled
    ):
        idle(stack, what)
    prepare(stack, what)
    return MainProcess(stack, what).run()


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except LoyaltyError as error:
        sys.exit(as_typed_here(f"{sys.argv[-1]}: {error}"))
