"""`python -m ticketing_service.commands.token ROLE`: an access token for this machine, good for twelve hours.

`--all` writes one for each role to tokens.json in DATA_DIR, readable by its owner alone.
"""

from __future__ import annotations

import argparse
import sys

import orjson

from common.auth.keyfiles import KeyFolderError, write_private
from common.auth.local_issuer import LocalIssuer
from common.settings import load_or_exit

ROLES = ("platform_admin", "ticket_manager", "finance", "support", "gate", "operator")
FILE = "tokens.json"


def main() -> int:
    """0; 1 when the issuer's key cannot be used, 2 when the service would not take its tokens."""
    arguments = _arguments()
    settings = load_or_exit("ticketing")
    if not settings.is_loopback:
        sys.stderr.write("BIND_HOST is not a loopback address: the service takes no tokens of this issuer\n")
        return 2
    issuer = LocalIssuer(settings.data_dir, audience=settings.token_audience)
    try:
        if not arguments.all:
            print(issuer.issue(arguments.role))
            return 0
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        tokens = {role: issuer.issue(role) for role in ROLES}
        write_private(settings.data_dir / FILE, orjson.dumps(tokens, option=orjson.OPT_INDENT_2))
        if sys.stdout.isatty():
            print(orjson.dumps(tokens, option=orjson.OPT_INDENT_2).decode())
    except KeyFolderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="token", description="Access tokens for this machine.")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("role", nargs="?", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    chosen.add_argument("--all", action="store_true", help=f"write one for each role to {FILE}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
