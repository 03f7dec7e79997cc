"""Look for cases that break a law; one that does becomes a file in `tests/regressions`.

    python tests/fuzzing --nightly --minutes 480    every law, a new seed each round
    python tests/fuzzing --law cut --examples 5000  one law
    python tests/fuzzing --case FILE                a case that once broke its law

Slices of the laws run with the tests, and so does every file of `tests/regressions`.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from law import REGRESSIONS, check_file
from laws import LAWS
from night import holds, night


def main() -> int:
    """Exit with 1 if a law was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nightly", action="store_true", help="all laws, for so many --minutes")
    parser.add_argument("--minutes", type=float, default=480, help="480; a round is completed")
    parser.add_argument("--law", choices=LAWS, default="run")
    parser.add_argument("--examples", type=int, default=1_000_000, help="of one law")
    parser.add_argument("--seed", type=int, help="of the first round; random by default")
    parser.add_argument(
        "--failures", type=Path, default=REGRESSIONS, help="where cases are written"
    )
    parser.add_argument("--case", type=Path, help="check this file's case only")
    options = parser.parse_args()
    if options.case:
        check_file(LAWS, options.case)
        return 0
    first = secrets.randbelow(2**31) if options.seed is None else options.seed
    if options.nightly:
        return night(LAWS, options.minutes, first, options.failures)
    law = LAWS[options.law]
    most = min(law.round, options.examples)
    rounds = range(first, first + -(-options.examples // most))
    failed = [
        number for number in rounds if not holds(options.law, law, number, most, options.failures)
    ]
    print(f"{options.examples} examples from seed {first}; rounds that failed: {failed or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
