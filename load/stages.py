"""How many users come when, in each profile; and when more of them bring no more."""

from __future__ import annotations

from collections.abc import Sequence

from load.options import LOAD, SMOKE, SOAK, SPIKE, STRESS, Options
from load.plan import Stage

SECONDS = {SMOKE: 10.0, LOAD: 45.0, STRESS: 60.0, SPIKE: 40.0, SOAK: 300.0}
USERS = {SMOKE: 8, LOAD: 80, STRESS: 80, SPIKE: 30, SOAK: 50}
"""Of stress the first step, of spike those before and after."""

THINK = {SMOKE: 0.2}
"""So that somebody gets through the whole journey in a short run."""

STEPS = 6
RAMP_SHARE = 0.2
SPIKE_FACTOR = 10
SPIKE_SHARES = (0.25, 0.2, 0.55)
KNEE_GAIN = 1.15
"""Twice the users have to bring at least this many times the answers, or the knee is behind us."""


def stages(profile: str, options: Options) -> tuple[Stage, ...]:
    """The stages of a profile that is made of scenarios."""
    seconds = options.seconds or SECONDS[profile]
    users = options.users or USERS[profile]
    if profile == STRESS:
        each = max(2.0, seconds / STEPS)
        steps = [users * 2**step for step in range(STEPS)]
        return tuple(
            Stage(label=f"{step} users", users=step, seconds=each, ramp=step / each * 4) for step in steps
        )
    if profile == SPIKE:
        before, during, after = (seconds * share for share in SPIKE_SHARES)
        many = users * SPIKE_FACTOR
        return (
            Stage(label="before", users=users, seconds=before, ramp=users),
            Stage(label="spike", users=many, seconds=during, ramp=many),
            Stage(label="after", users=users, seconds=after, ramp=many),
        )
    ramp = max(1.0, users / min(30.0, seconds * RAMP_SHARE))
    return (Stage(label=profile, users=users, seconds=seconds, ramp=ramp),)


def over_the_knee(goodputs: Sequence[float]) -> bool:
    """Whether the last step brought too little for twice the users of the one before."""
    return len(goodputs) > 1 and goodputs[-1] < goodputs[-2] * KNEE_GAIN
