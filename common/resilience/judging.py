"""How a breaker tells the failures of a dependency from its answers."""

from __future__ import annotations

from common.resilience.states import Classify, Verdict


def failing(*kinds: type[BaseException]) -> Classify:
    """A breaker's judgement: these exceptions are failures of the dependency, all others are its answers."""

    def judge(error: BaseException) -> Verdict:
        if isinstance(error, kinds):
            return Verdict("failure", getattr(error, "retry_after_seconds", None))
        return Verdict("success" if isinstance(error, Exception) else "ignored")

    return judge
