"""Where media are, as the settings say it."""

from __future__ import annotations

import pytest

from common.settings import SettingError, load


@pytest.mark.parametrize("given", ["", "s3://media", "s3://media.example-1/a/b_c"])
def test_a_place_for_media(given: str) -> None:
    assert load("admin", {"MEDIA_STORE": given}).media_store == given


@pytest.mark.parametrize(
    "given",
    ["media", "/var/media", "s3://", "s3://A", "s3://a", "s3://media/", "s3://media/../x", "file:///x"],
)
def test_what_is_no_place_for_media_stops_the_start(given: str) -> None:
    with pytest.raises(SettingError, match="MEDIA_STORE must be s3://bucket"):
        load("admin", {"MEDIA_STORE": given})


def test_media_are_read_at_the_gateway_unless_said_otherwise() -> None:
    assert load("admin", {"PUBLIC_URL": "https://a.example"}).media_url == "https://a.example/media"
    assert load("admin", {"MEDIA_URL": "https://cdn.example/m/"}).media_url == "https://cdn.example/m"


def test_a_slip_of_the_pen_is_told() -> None:
    for name in ("MEDIA_STOR", "S3_ENDPOINT"):
        with pytest.raises(SettingError, match=f"{name} is not a setting; did you mean"):
            load("admin", {name: "x"})


def test_the_key_of_the_bucket_does_not_show() -> None:
    settings = load("admin", {"S3_ACCESS_KEY_ID": "visible-id", "S3_SECRET_ACCESS_KEY": "hush-hush"})
    assert "hush-hush" not in repr(settings)
    assert "visible-id" not in repr(settings)
