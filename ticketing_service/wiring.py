"""Builds the ports from the settings: the only place that knows the adapters."""

from __future__ import annotations

import sys
from pathlib import Path

from common.auth.keyfiles import KeyRing, SecretRing
from common.clock import system_clock
from common.settings import Settings
from ticketing_service.actions.booking_tokens import BookingTokens
from ticketing_service.actions.issuing import Issuer
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.mail import FolderMailer, SmtpMailer
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.clients.port import Mailer
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql.store import open_store


def build(settings: Settings) -> Ports:
    """All ports. Nothing is connected to before its first use; build them after a fork."""
    keys = settings.data_dir / "keys"
    admission_keys = KeyRing(keys / "admissions")
    return Ports(
        store=open_the_store(settings),
        payment_module=HttpPaymentModule(settings.payment_api_url, settings.payment_api_tokens[0]),
        poi_directory=GeoJsonPoiDirectory(_directory_file(settings)),
        mailer=_mailer(settings),
        clock=system_clock,
        policy=SalePolicy(),
        admission_keys=admission_keys,
        issue=Issuer(admission_keys),
        booking_tokens=BookingTokens(SecretRing(keys / "booking-tokens")),
        public_url=settings.public_url,
        return_url_origins=settings.return_url_origins,
        webhook_secrets=settings.payment_webhook_secrets,
    )


def open_the_store(settings: Settings, threads: int | None = None) -> Store:
    """The store alone, for what needs nothing else. `threads` read at the same time."""
    return open_store(settings.database_url, threads or settings.web_threads)


def _mailer(settings: Settings) -> Mailer:
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return FolderMailer(settings.data_dir / "mail", settings.mail_from)


def _directory_file(settings: Settings) -> Path:
    if "://" in settings.poi_directory:
        sys.stderr.write("POI_DIRECTORY must be a GeoJSON file: an address is not read yet\n")
        raise SystemExit(2)
    return Path(settings.poi_directory)
