"""UUIDs made of ObjectIds: each its own, in the same order, and back."""

from __future__ import annotations

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as some

from common.transfer.object_ids import PARTS, id_of, object_id_of

OBJECT_IDS = some.binary(min_size=12, max_size=12).map(ObjectId)
PART = some.integers(0, PARTS - 1)


@given(OBJECT_IDS, OBJECT_IDS, PART, PART)
def test_the_order_stays_and_nothing_is_lost(one: ObjectId, other: ObjectId, part: int, another: int) -> None:
    first, second = id_of(one, part), id_of(other, another)
    assert (first < second) == ((one, part) < (other, another))
    assert object_id_of(first) == one
    assert first.version == 7
    assert first.variant == "specified in RFC 4122"


def test_an_object_id_has_only_so_many() -> None:
    with pytest.raises(ValueError, match="no part"):
        id_of(ObjectId(), PARTS)
