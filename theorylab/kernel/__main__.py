"""python -m theorylab.kernel FILE...: one line per certificate.

Exit status 0 if every file is proved or refuted, 1 if one is rejected, 2 if one cannot be read.
"""

from __future__ import annotations

import io
import sys

from theorylab.kernel import Proved, Rejected, check


def main(paths: list[str]) -> int:
    if not paths:
        print("usage: python -m theorylab.kernel FILE...", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status = 0
    for path in paths:
        try:
            with open(path, "rb") as file:
                raw = file.read()
        except OSError as error:
            print(f"{path}: cannot be read: {error.strerror}", file=sys.stderr)
            status = 2
            continue
        outcome = check(raw)
        if isinstance(outcome, Rejected):
            print(f"{path}: rejected: {outcome.reason}")
            status = status or 1
            continue
        word = "proved" if isinstance(outcome, Proved) else "refuted"
        conclusion = outcome.statement.conclusion.kind
        lemmas = "; ".join(outcome.lemmas)
        digest = outcome.statement.sha256
        print(f"{path}: {word}: {conclusion} by {outcome.rule} [{lemmas}] statement {digest}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
