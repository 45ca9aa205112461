#!/usr/bin/env bash
# Moves what the services have from one store to another. Called by `make migrate-store`; docs/moving.md tells how.
#
#   FROM TO      URLs of the stores; {service} in one stands for ticketing and admin
#   SWITCH       nothing: copy beside the running services; read_only: then close the platform for the last
#                pass; offline: the services are stopped
#   SERVICE      ticketing or admin: that one alone
#   FROM_LAYOUT  nothing: FROM is a store of ours; predecessor: its MongoDB (docs/predecessor.md)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
export DATA_DIR=${DATA_DIR:-.data}
services=${SERVICE:-ticketing admin}

fail() { printf 'migrate-store: %s\n' "$*" >&2; exit 1; }
step() { "$python" -m "${1}_service.commands.transfer" "$2"; }

for service in $services; do
  case $service in ticketing | admin) ;; *) fail "SERVICE is ticketing or admin, not '$service'" ;; esac
done

case ${SWITCH:-} in
  "")
    for service in $services; do step "$service" copy; done
    echo "migrate-store: copied. Nothing was switched: the services still run on the source. When it suits you:"
    echo "migrate-store:   the same with SWITCH=read_only (closed to writes for seconds), or SWITCH=offline (stopped)"
    ;;
  offline)
    for service in $services; do step "$service" offline; done
    echo "migrate-store: start the services with the new DATABASE_URL"
    ;;
  read_only)
    # the mode is admin's, and opens with the store of admin: ticketing alone would stay closed
    case $services in *admin*) ;; *) fail "SERVICE=ticketing alone is switched with SWITCH=offline" ;; esac
    [ -z "${FROM_LAYOUT:-}" ] || fail "$FROM_LAYOUT knows no read_only mode: stop it, and use SWITCH=offline"
    for service in $services; do step "$service" copy; done
    # whatever ends this before all is verified opens the platform again, on the source
    trap 'step admin thaw && echo "migrate-store: the platform is open again, on the source" >&2' EXIT
    step admin freeze
    echo "migrate-store: the platform is closed to writes"
    for service in $services; do step "$service" finish; done
    trap - EXIT
    step admin open
    echo "migrate-store: switched. The source stays closed to writes: start the services with the new DATABASE_URL now"
    ;;
  *) fail "SWITCH is read_only or offline, not '$SWITCH'" ;;
esac
