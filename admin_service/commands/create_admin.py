"""`python -m admin_service.commands.create_admin EMAIL`: a user who administers the platform, with a random
password that is printed once.

The first one is made so, on the machine itself: there are no credentials that everybody knows. `--role` makes
somebody else. A user who is there already is left alone.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from admin_service.actions import users
from admin_service.actions.users import CreateUser
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.permissions import PLATFORM_ADMIN, ROLES
from admin_service.wiring import run_worker
from common.database import StoreUnavailable
from common.settings import load_or_exit
from common.web.values import is_email

PASSWORD_BYTES = 15
ORIGIN = Origin(actor="command:create_admin")


def main() -> int:
    """0; 1 when the user is there already, cannot be, or the database cannot be reached."""
    arguments = _arguments()
    if not is_email(arguments.email):
        sys.stderr.write(f"{arguments.email} is not an address\n")
        return 1
    running = run_worker(load_or_exit("admin"))
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    try:
        command = CreateUser(
            email=arguments.email,
            name=arguments.name or arguments.email.partition("@")[0],
            roles=tuple(arguments.role or (PLATFORM_ADMIN,)),
            poi_ids=None if arguments.poi is None else tuple(arguments.poi),
            password_hash=running.ports.passwords.hashed(password),
            origin=ORIGIN,
        )
        users.create_user(command, running.ports)
    except Refused as refused:
        there = refused.code is Code.EMAIL_TAKEN
        if there and arguments.once:
            return 0
        sys.stderr.write(f"{arguments.email}: {'is there already' if there else refused}\n")
        return 1
    except (StoreUnavailable, SQLAlchemyError) as error:
        sys.stderr.write(f"The database cannot be used (is it migrated?): {type(error).__name__}\n")
        return 1
    finally:
        running.close()
    print(f"{arguments.email} {password}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="create_admin", description="A user with a random password.")
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--once", action="store_true", help="no fault when the user is there already")
    parser.add_argument("--name", help="default: the first part of the address")
    parser.add_argument("--role", action="append", choices=tuple(ROLES), help=f"default: {PLATFORM_ADMIN}")
    parser.add_argument("--poi", action="append", type=UUID, metavar="ID", help="a place to be limited to")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
