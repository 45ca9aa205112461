"""A mailer behind its breaker."""

from __future__ import annotations

from common.mail.port import Mail, Mailer, MailUnavailable
from common.resilience.around import Around, Timed
from common.resilience.guard import Guard


class GuardedMailer:
    """`Mailer` behind a guard. A message may have arrived although no answer came, so none is sent twice
    within a call; the worker sends it again under the same Message-ID."""

    def __init__(self, mailer: Mailer, guard: Guard, timed: Timed) -> None:
        self._mailer, self._around = mailer, Around("mail", guard, timed, MailUnavailable, repeatable=False)

    def send(self, mail: Mail) -> None:
        """See Mailer."""
        self._around(lambda: self._mailer.send(mail))
