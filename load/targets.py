"""The targets that the field has named, and whether a run met them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from load.capacity import READS_AT_SERVICE
from load.findings import Results, drift, own_requests, spike, steps, wrong
from load.names import CONFIRMED_BY_WEBHOOK
from load.options import LOAD, SMOKE, SOAK, SPIKE, STRESS
from load.samples import Tally, all_requests, by_name, errors

MAX_AVERAGE_MS, MAX_P95_MS, MAX_P99_MS = 100.0, 500.0, 1000.0
MIN_HIT_RATE = 0.70
MIN_PER_SECOND = 1_000.0
MAX_CONFIRMED_MS = 2_000.0
AT_ONCE = 10_000
CALM_WITHIN_SECONDS = 15
MIN_SOAK_MINUTES, MAX_DRIFT, MAX_GROWTH = 4.0, 2.0, 0.15
CALM_P95_MS = 200.0
"""Below this a soak has not become slow, however quick it was in the beginning."""

WITHIN_CAPACITY = (SMOKE, LOAD, SOAK)
"""Beyond it, in stress and spike, being refused at once is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`met` is None for what was not measured; `how` says from what it was taken."""

    name: str
    aim: str
    found: str
    met: bool | None
    how: str

    @property
    def word(self) -> str:
        return "not measured" if self.met is None else "met" if self.met else "missed"


def judge(results: Results) -> list[Verdict]:
    """Each target in the field's order, then what must hold in any case."""
    return [
        *_latency(results),
        _hit_rate(results),
        _throughput(results),
        _confirmed(results),
        _at_once(results),
        _answers(results),
        _under_stress(results),
        _after_a_spike(results),
        _over_time(results),
        _invariants(results),
    ]


def _latency(results: Results) -> list[Verdict]:
    tally = own_requests(results.steady)
    targets: tuple[tuple[str, float, Callable[[Tally], float]], ...] = (
        ("average", MAX_AVERAGE_MS, lambda each: each.average),
        ("P95", MAX_P95_MS, lambda each: each.percentile(0.95)),
        ("P99", MAX_P99_MS, lambda each: each.percentile(0.99)),
    )
    verdicts = []
    for name, most, figure in targets:
        value = figure(tally) if tally.count else None
        verdicts.append(
            Verdict(
                name=f"response time, {name}",
                aim=f"< {most:g} ms",
                found="-" if value is None else f"{value:.1f} ms",
                met=None if value is None else value < most,
                how=f"{tally.count:,} requests of the steady load, through the gateway",
            )
        )
    return verdicts


def _hit_rate(results: Results) -> Verdict:
    regions = (results.cache or {}).get("regions") or {}
    hits, misses = (sum(int(each.get(name, 0)) for each in regions.values()) for name in ("hits", "misses"))
    rate = hits / (hits + misses) if hits + misses else None
    return Verdict(
        name="cache hit rate",
        aim=f"> {MIN_HIT_RATE:.0%}",
        found="-" if rate is None else f"{rate:.1%}",
        met=None if rate is None else rate > MIN_HIT_RATE,
        how=f"{hits:,} hits and {misses:,} misses of all regions, over the whole run",
    )


def _throughput(results: Results) -> Verdict:
    capacity = results.capacity(READS_AT_SERVICE)
    return Verdict(
        name="requests a second of one instance",
        aim=f"about {MIN_PER_SECOND:,.0f}/s",
        found="-" if capacity is None else f"{capacity.per_second:,.0f}/s",
        met=None if capacity is None else capacity.per_second >= MIN_PER_SECOND,
        how="search, ticket and calendar in turn, at the service itself, so that nginx's cache does not help",
    )


def _confirmed(results: Results) -> Verdict:
    tally = by_name(results.steady, flows=True).get(CONFIRMED_BY_WEBHOOK, Tally())
    p95 = tally.percentile(0.95) if tally.count else None
    found = "-" if p95 is None else f"{p95:,.0f} ms (P95), {tally.failed} failed"
    return Verdict(
        name="booking confirmed",
        aim=f"< {MAX_CONFIRMED_MS / 1000:g} s",
        found=found,
        met=None if p95 is None else p95 < MAX_CONFIRMED_MS and tally.failed == 0,
        how=f"{tally.count:,} bookings, from POST /bookings through the payment to the webhook's effect",
    )


def _at_once(results: Results) -> Verdict:
    name, aim, rush = "10,000 bookings at once", "all sold; none oversold, twice or lost", results.rush
    if rush is None:
        return Verdict(name=name, aim=aim, found="-", met=None, how="a rush on one slot, through the gateway")
    found = (
        f"{rush.sold:,} sold in {rush.selling_seconds:.1f} s ({rush.per_second:,.0f}/s); "
        f"{rush.oversold:,} oversold, {rush.twice:,} twice, {rush.lost + rush.untold:,} lost"
    )
    if rest := rush.buyers - rush.sold - rush.sold_out:
        found += f"; {rest:,} without a place or a refusal"
    return Verdict(
        name=name,
        aim=aim,
        found=found,
        # Fewer were asked for on purpose: that says nothing about ten thousand.
        met=None if rush.places < AT_ONCE else rush.is_right,
        how=f"{rush.buyers:,} buyers, {rush.places:,} places; told to come back, they do, with the same key",
    )


def _answers(results: Results) -> Verdict:
    seconds = [second for name in WITHIN_CAPACITY for second in results.runs.get(name, ())]
    tally, wrong = all_requests(seconds), errors(seconds)
    unfinished = sum(journey.failed for journey in by_name(seconds, flows=True).values())
    worst = f"; most often {wrong.most_common(1)[0][0]}" if wrong else ""
    found = f"{tally.failed:,} of {tally.count:,} were not, {unfinished:,} journeys failed{worst}"
    return Verdict(
        name="answers as expected",
        aim="all",
        found="-" if not tally.count else found,
        met=None if not tally.count else not wrong,
        how="status and content of each within capacity (smoke, load, soak); SOLD_OUT is one like others",
    )


def _under_stress(results: Results) -> Verdict:
    run, found = results.runs.get(STRESS, []), steps(results)
    unexpected, text = wrong(run), "-"
    if found:
        best = max(found, key=lambda step: step.goodput)
        text = (
            f"{best.goodput:,.0f} right answers/s at {best.users:,} users, {found[-1].goodput:,.0f} at "
            f"{found[-1].users:,}; {found[-1].failed:.1%} refused there, {_told(unexpected)}"
        )
    return Verdict(
        name="beyond capacity",
        aim="what is not answered is refused (503), nothing else",
        found=text,
        met=not unexpected if found else None,
        how="twice the users until that brings no more; how many right answers a second is no target",
    )


def _after_a_spike(results: Results) -> Verdict:
    found, unexpected = spike(results), wrong(results.runs.get(SPIKE, ()))
    text, met = "-", None
    if found is not None:
        after = found.recovered_after
        calm = "not calm again" if after is None else f"calm after {after} s"
        text = f"{calm}; P95 {found.before:,.0f} ms before, {found.during:,.0f} in it; {_told(unexpected)}"
        too_short = after is None and found.watched < CALM_WITHIN_SECONDS
        met = None if too_short else after is not None and after <= CALM_WITHIN_SECONDS and not unexpected
    return Verdict(
        name="after a spike",
        aim=f"calm within {CALM_WITHIN_SECONDS} s; in it right answers or 503",
        found=text,
        met=met,
        how="ten times the users for a moment; calm: P95 at most twice that of before, or 200 ms",
    )


def _over_time(results: Results) -> Verdict:
    found = drift(results)
    text, met = "-", None
    if found is not None:
        text = (
            f"P95 {found.p95_first:,.0f} → {found.p95_last:,.0f} ms, memory {found.before:,.0f} MB "
            f"{found.growth:+.1%}, in {found.minutes:.0f} min"
        )
        slower = found.p95_last > max(CALM_P95_MS, MAX_DRIFT * found.p95_first)
        enough = found.minutes >= MIN_SOAK_MINUTES
        met = not slower and found.growth <= MAX_GROWTH if enough else None
    return Verdict(
        name="soak",
        aim=f"P95 not doubled, memory at most {MAX_GROWTH:.0%} more",
        found=text,
        met=met,
        how=f"the last third of the soak against the first; at least {MIN_SOAK_MINUTES:.0f} minutes",
    )


def _told(unexpected: Counter[str]) -> str:
    if not unexpected:
        return "nothing wrong"
    return f"{unexpected.total():,} wrong, most often {unexpected.most_common(1)[0][0]}"


def _invariants(results: Results) -> Verdict:
    broken = results.violations
    return Verdict(
        name="books are right",
        aim="nothing oversold, counters = sums, money in order",
        found="-" if broken is None else "all hold" if not broken else f"{len(broken)} broken: {broken[0]}",
        met=None if broken is None else not broken,
        how="every row of the store, after the product was stopped",
    )
