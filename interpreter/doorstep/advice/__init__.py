"""Advice on definitions that AWS accepts: what costs, hangs, repeats or gets lost in production.

    doorstep.advice.advise(definition)  ->  [Diagnostic("UNLIMITED_WAIT", …), …]

It reads definitions and runs nothing; `doorstep explore` finds what only runs show.
"""

from .advice import CHECKS, Check, advice_on, advise
from .tasks import LAMBDA_RETRY

__all__ = ["CHECKS", "LAMBDA_RETRY", "Check", "advice_on", "advise"]
