"""All that the actions reach the outside through, as one value. `admin_service.wiring` builds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from admin_service.clients.port import Storage, Ticketing
from admin_service.storage.port import Store
from common.auth.keyfiles import KeyRing
from common.clock import Clock
from common.mail.port import Mailer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`token_keys` sign access tokens, in the name of `token_issuer` and for `token_audience`. `public_url`
    is where people reach us, without a slash at the end. Media are read at `media_url`; uploads are in
    `upload_folder` while they come in.
    """

    store: Store
    mailer: Mailer
    storage: Storage
    ticketing: Ticketing
    clock: Clock
    token_keys: KeyRing
    token_issuer: str
    token_audience: str
    public_url: str
    media_url: str
    upload_folder: Path
