"""`make try`: a curator's day and a whole sale against a running `make run`.

Each answer is held to what it should be; the first that is not ends the tour with status 1.
"""

from __future__ import annotations

import os
import sys
import time

from demo.api import Api, NobodyAnswers
from demo.curating import CuratorsDay
from demo.run import Run, SetupError, read_run
from demo.sale import Sale
from demo.signed_in import SignedIn
from demo.staff import read_staff
from demo.story import Story, Unexpected


def tour(run: Run, api: Api) -> str:
    """One line on what was done. Raises Unexpected, NobodyAnswers."""
    accounts = read_staff(run.data_dir)
    if not accounts:
        raise NobodyAnswers(f"{run.data_dir} has no accounts")
    shop = os.environ.get("PUBLIC_URL") or run.url("GATEWAY_PORT", "")
    mail_folder = None if os.environ.get("SMTP_URL") else run.data_dir / "mail"
    story = Story(api)
    staff = SignedIn(story, accounts)
    curated = CuratorsDay(story, staff).run()
    sold = Sale(story, staff, f"{shop.rstrip('/')}/", mail_folder).run()
    return f"{curated}; {sold}"


def main() -> int:
    """Take the tour; 1 with a clear message when something is not as it should be."""
    began = time.monotonic()
    try:
        run = read_run(os.environ)
        with Api(run.url("GATEWAY_PORT", "/api/v1")) as api:
            done = tour(run, api)
    except NobodyAnswers as error:
        sys.stderr.write(f"make try: {error}\nIs `make run` up, with the same DATA_DIR and GATEWAY_PORT?\n")
        return 1
    except Unexpected as error:
        sys.stderr.write(f"\nmake try: {error}\n")
        return 1
    except SetupError as error:
        sys.stderr.write(f"make try: {error}\n")
        return 2
    print(f"\nAll as it should be: {done} ({time.monotonic() - began:.1f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
