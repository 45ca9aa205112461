"""When the alerts about the admin service's own matters must fire, and when they must not."""

from __future__ import annotations

from tests.deploy.series import ADMIN, Case, heard_of_admin, of_admin

UP = {f"up{{{ADMIN}}}": "1x60"}

SIGN_INS = (
    Case(
        alert="SignInsRefused",
        when="somebody tries passwords, and nobody else comes",
        series={**UP, **of_admin("logins_total", "0+10x60", outcome="refused")},
        after="30m",
        fires=heard_of_admin("admin: 100 sign-ins were refused within ten minutes"),
    ),
    Case(
        alert="SignInsRefused",
        when="locked accounts are tried beside the usual sign-ins",
        series={
            **UP,
            **of_admin("logins_total", "0+8x60", outcome="locked"),
            **of_admin("logins_total", "0+2x60", outcome="success"),
        },
        after="30m",
        fires=heard_of_admin("admin: 80 sign-ins were refused within ten minutes"),
    ),
    Case(
        alert="SignInsRefused",
        when="many come in, and some mistype",
        series={
            **UP,
            **of_admin("logins_total", "0+10x60", outcome="refused"),
            **of_admin("logins_total", "0+10x60", outcome="success"),
        },
        after="30m",
    ),
    Case(
        alert="SignInsRefused",
        when="one mistypes now and then",
        series={**UP, **of_admin("logins_total", "0+1x60", outcome="refused")},
        after="30m",
    ),
)

UPLOADS = (
    Case(
        alert="UploadsRefused",
        when="most are refused",
        series={
            **of_admin("uploads_total", "0+2x90", outcome="refused", type="other"),
            **of_admin("uploads_total", "0+1x90", outcome="accepted", type="image/png"),
        },
        after="60m",
        fires=heard_of_admin("admin: 60 uploads were refused within half an hour"),
    ),
    Case(
        alert="UploadsRefused",
        when="few of many are refused",
        series={
            **of_admin("uploads_total", "0+2x90", outcome="refused", type="other"),
            **of_admin("uploads_total", "0+8x90", outcome="accepted", type="image/png"),
        },
        after="60m",
    ),
    Case(
        alert="UploadsRefused",
        when="the first of the day is refused",
        series=of_admin("uploads_total", "0x30 1x60", outcome="refused", type="other"),
        after="60m",
    ),
)

PLACES = (
    Case(
        alert="PoisVanished",
        when="half were archived",
        series=of_admin("pois", "1000x30 500x60", status="published"),
        after="45m",
        fires=heard_of_admin("admin: only 500 points of interest are still published"),
    ),
    Case(
        alert="PoisVanished",
        when="a tenth were archived",
        series=of_admin("pois", "1000x30 900x60", status="published"),
        after="45m",
    ),
    Case(
        alert="PoisVanished",
        when="drafts were removed",
        series={
            **of_admin("pois", "1000x90", status="published"),
            **of_admin("pois", "1000x30 1x60", status="draft"),
        },
        after="45m",
    ),
)

JOBS = (
    Case(
        alert="JobLate",
        when="the admin service's sessions fail",
        series={
            **of_admin("job_last_success_timestamp_seconds", "0+60x5 300x40", exported_job="purge"),
            **of_admin("job_last_success_timestamp_seconds", "0x45", exported_job="broken-off-imports"),
        },
        after="25m",
        fires=heard_of_admin("admin: job purge last succeeded 20m 0s ago", exported_job="purge"),
    ),
    Case(
        alert="JobLate",
        when="imports that broke off are never forgotten",
        series=of_admin("job_last_success_timestamp_seconds", "0x90", exported_job="broken-off-imports"),
        after="75m",
        fires=heard_of_admin(
            "admin: job broken-off-imports last succeeded 1h 15m 0s ago", exported_job="broken-off-imports"
        ),
    ),
    Case(
        alert="ScrapeMissing",
        when="the admin service is not to be scraped",
        series={'up{job="ticketing", instance="one"}': "1x10"},
        after="10m",
        fires=heard_of_admin("admin cannot be scraped"),
    ),
)

# The clock of these tests begins at 0: what was before it has a negative time.
BACKUPS = (
    Case(
        alert="BackupLate",
        when="the last good one is older than a day and time to make another",
        series=of_admin("backup_last_success_timestamp_seconds", f"{-27 * 3600}x20"),
        after="20m",
        fires=heard_of_admin("admin: the last good backup is 1d 3h 20m 0s old"),
    ),
    Case(
        alert="BackupLate",
        when="the next one is still being made",
        series=of_admin("backup_last_success_timestamp_seconds", f"{-25 * 3600}x20"),
        after="20m",
    ),
    Case(
        alert="BackupLate",
        when="it was late, and is there now",
        series=of_admin("backup_last_success_timestamp_seconds", f"{-27 * 3600}x10 600x20"),
        after="20m",
    ),
    Case(
        alert="RestoreDrillFailed",
        when="a step of the last one failed",
        series=of_admin("restore_drill_last_result", "1x10 0x60"),
        after="1h",
        fires=heard_of_admin("admin: the newest backup was not proven by restoring"),
    ),
    Case(
        alert="RestoreDrillFailed",
        when="there was none for ten days",
        series={
            **of_admin("restore_drill_last_success_timestamp_seconds", f"{-10 * 86400}x20"),
            **of_admin("restore_drill_last_result", "1x20"),
            **of_admin("backup_last_success_timestamp_seconds", "60x20"),
        },
        after="20m",
        fires=heard_of_admin("admin: the newest backup was not proven by restoring"),
    ),
    Case(
        alert="RestoreDrillFailed",
        when="the last one went well a week ago",
        series={
            **of_admin("restore_drill_last_success_timestamp_seconds", f"{-7 * 86400}x20"),
            **of_admin("restore_drill_last_result", "1x20"),
            **of_admin("backup_last_success_timestamp_seconds", "60x20"),
        },
        after="20m",
    ),
)

STAFF = (*SIGN_INS, *UPLOADS, *PLACES, *JOBS, *BACKUPS)
