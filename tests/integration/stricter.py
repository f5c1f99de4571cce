"""`python -m tests.integration.stricter`: the stream with a rule that is too strict: no matcha."""

import runpy

from streaming import clean

if __name__ == "__main__":
    clean.CHECKS = tuple(  # type: ignore[assignment, misc]
        (name, r"\A(?!matcha)" + pattern.removeprefix(r"\A") if name == "item" else pattern, reason)
        for name, pattern, reason in clean.CHECKS
    )
    runpy.run_module("streaming", run_name="__main__", alter_sys=True)
