"""When the alerts of the two objectives must fire, and when they must not."""

from __future__ import annotations

from tests.deploy.series import READY, Case, Heard, durations, heard, requests

BURNS = (
    Case(
        alert="AvailabilityBurnFast",
        when="2 % of the requests fail",
        series=requests("0+980x30", "0+20x30"),
        after="20m",
        fires=heard("ticketing: many requests fail (2%)"),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="0.8 % fail for hours",
        series=requests("0+992x90", "0+8x90"),
        after="1h",
        fires=heard("ticketing: many requests fail (0.8%)"),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="it is the other service",
        series=requests("0+900x30", "0+100x30", service="admin"),
        after="20m",
        fires=(Heard({"job": "admin"}, "admin: many requests fail (10%)"),),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="0.5 % fail",
        series=requests("0+995x90", "0+5x90"),
        after="1h",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="it is over",
        series=requests("0+1000x90", "0+100x20 2000x70"),
        after="1h",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="5 % fail for five minutes",
        series=requests("0+1000x120", "0x90 0+52x5 260x10"),
        after="1h38m",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="5 % failed for five minutes, ten minutes ago",
        series=requests("0+1000x120", "0x90 0+52x5 260x15"),
        after="1h46m",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="a probe is told 503",
        series={**requests("0+100x30", "0x30"), **requests("0x30", "0+60x30", where=READY)},
        after="20m",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="five of few fail at night",
        series=requests("0+1x60", "0x30 0+1x5 5x25"),
        after="38m",
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="0.4 % fail for hours",
        series=requests("0+996x150", "0+4x150"),
        after="2h",
        fires=heard("ticketing: requests keep failing (0.4%)"),
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="0.15 % fail for hours",
        series=requests("0+9985x150", "0+15x150"),
        after="2h",
        fires=heard("ticketing: requests keep failing (0.15%)"),
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="2.2 % fail for 20 minutes after 8 hours",
        series=requests("0+1000x520", "0x459 0+22x20 440x40"),
        after="8h20m",
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="five of few fail at night",
        series=requests("0+1x120", "0x30 0+1x5 5x85"),
        after="1h30m",
    ),
    Case(
        alert="LatencyBurnFast",
        when="five of few are slow at night",
        series=durations("0+1x30 30x5 31+1x30", "0+1x65"),
        after="38m",
    ),
    Case(
        alert="LatencyBurnSlow",
        when="five of few are slow at night",
        series=durations("0+1x30 30x5 31+1x85", "0+1x120"),
        after="1h30m",
    ),
    Case(
        alert="LatencyBurnFast",
        when="a fifth is slow",
        series=durations("0+80x30", "0+100x30"),
        after="20m",
        fires=heard("ticketing: many requests take longer than 500 ms (20%)"),
    ),
    Case(
        alert="LatencyBurnFast",
        when="a tenth of the other service is slow for hours",
        series=durations("0+90x90", "0+100x90", service="admin"),
        after="1h",
        fires=(Heard({"job": "admin"}, "admin: many requests take longer than 500 ms (10%)"),),
    ),
    Case(
        alert="LatencyBurnFast",
        when="5 % are slow",
        series=durations("0+95x90", "0+100x90"),
        after="1h",
    ),
    Case(
        alert="LatencyBurnFast",
        when="it is over",
        series=durations("0+50x20 1100+100x70", "0+100x90"),
        after="1h",
    ),
    Case(
        alert="LatencyBurnFast",
        when="half are slow for five minutes",
        series=durations("0+100x90 9050+50x5 9400+100x10", "0+100x120"),
        after="1h38m",
    ),
    Case(
        alert="LatencyBurnSlow",
        when="4 % are slow for hours",
        series=durations("0+96x150", "0+100x150"),
        after="2h",
        fires=heard("ticketing: requests keep being slow (4%)"),
    ),
    Case(
        alert="LatencyBurnSlow",
        when="22 % are slow for 20 minutes after 8 hours",
        series=durations("0+100x459 45978+78x20 47638+100x40", "0+100x520"),
        after="8h20m",
    ),
)
