"""What lies beneath a store, for what no port shows: the rows that it keeps, and changes behind its back.

Rows are those of the SQL schema on every store: a table by its name without prefix, columns as attributes.
"""

from __future__ import annotations

from tests.beneath.opening import open_beneath
from tests.beneath.port import Beneath, Row, Tables

__all__ = ["Beneath", "Row", "Tables", "open_beneath"]
