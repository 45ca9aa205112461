"""What operators do at the monitoring routes, in the log and in the audit trail."""

from __future__ import annotations

import logging

from admin_service.routes.calling import PortsSource, origin_of
from common.auth.policy import Caller
from common.database import StoreUnavailable
from common.monitoring.audit import Audit, log_line

log = logging.getLogger(__name__)


def operator_audit(ports: PortsSource) -> Audit:
    """One log line always, and an entry of the audit trail when the store answers: the act has taken effect
    before, and needs no database.
    """

    def keep(action: str, caller: Caller, **facts: str | None) -> None:
        log_line(action, caller, **facts)
        known = {name: value for name, value in facts.items() if value is not None}
        event = ports().event(origin_of(caller), "monitoring.operate", action, after=known)
        try:
            ports().store.audit.append(event)
        except StoreUnavailable as error:
            log.warning("an operator's act is in the log alone: %s", error)

    return keep
