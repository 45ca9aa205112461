"""Settings: what starts a service, and the one line that stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.redis_options import RedisOptions, redis_options
from common.settings import SETTINGS, SettingError, load, load_or_exit, render_env_example

SECRETS = {"PAYMENT_API_TOKEN": "t" * 16, "PAYMENT_WEBHOOK_SECRET": "w" * 16}


def test_only_the_secrets_are_needed_to_start_on_this_machine():
    settings = load("ticketing", SECRETS)
    assert (settings.bind_host, settings.port) == ("127.0.0.1", 3004)
    assert settings.payment_api_url == "http://127.0.0.1:3005"
    assert settings.database_url == f"sqlite:///{Path('data').absolute()}/ticketing.sqlite3"
    assert settings.return_url_origins == (settings.public_url,)
    assert load("admin", {}).port == 3003


def test_every_service_has_its_own_store_and_the_nearer_setting_wins():
    both = {**SECRETS, "DATABASE_URL": "sqlite:////d/both", "TICKETING_DATABASE_URL": "sqlite:////d/own"}
    assert load("ticketing", both).database_url == "sqlite:////d/own"
    assert load("admin", both).database_url == "sqlite:////d/both"


def test_defaults_follow_the_ports_and_the_public_address():
    settings = load("ticketing", {**SECRETS, "PAYMENT_PORT": "4005", "GATEWAY_PORT": "4001"})
    assert (settings.payment_api_url, settings.public_url) == (
        "http://127.0.0.1:4005",
        "http://127.0.0.1:4001",
    )
    settings = load("ticketing", {**SECRETS, "PUBLIC_URL": "https://t.example/"})
    assert (settings.token_issuer, settings.return_url_origins) == (
        "https://t.example",
        ("https://t.example",),
    )


def test_redis_is_off_unless_it_is_named_and_each_service_has_its_own_database():
    assert redis_options(load("ticketing", SECRETS)) is None
    named = {
        **SECRETS,
        "REDIS_HOST": "redis",
        "REDIS_PASSWORD": "secret-word",
        "REDIS_SERVICE_HOST": "10.0.0.1",
        "REDIS_TIMEOUT_MS": "300",
    }
    ticketing, admin = load("ticketing", named), load("admin", named)
    assert redis_options(ticketing) == RedisOptions(
        host="redis", port=6379, password="secret-word", db=2, timeout_seconds=0.3
    )
    assert admin.redis_db == 3
    assert "secret-word" not in repr(ticketing) + repr(redis_options(ticketing))


def test_sentinels_are_addresses_and_name_the_master():
    settings = load("admin", {"REDIS_SENTINELS": "s1:26379, [::1]:26380", "REDIS_MASTER": "main"})
    options = redis_options(settings)
    assert options is not None
    assert (options.sentinels, options.master) == ((("s1", 26379), ("::1", 26380)), "main")


def test_a_secret_may_come_in_a_file_and_two_may_be_valid_at_once(tmp_path):
    file = tmp_path / "secret"
    file.write_text("a" * 16 + "," + "b" * 16 + "\n")
    settings = load("ticketing", {**SECRETS, "PAYMENT_API_TOKEN": "", "PAYMENT_API_TOKEN_FILE": str(file)})
    assert settings.payment_api_tokens == ("a" * 16, "b" * 16)
    assert "aaaa" not in repr(settings)


@pytest.mark.parametrize(
    "environ, line",
    [
        ({"PAYMENT_API_TOKEN": ""}, "PAYMENT_API_TOKEN is missing"),
        ({"PAYMENT_API_TOKEN": "short"}, "at least 16"),
        ({"PAYMENT_API_TOKEN": ",".join(["x" * 16] * 3)}, "at most 2"),
        ({"PAYMENT_API_TOKEN_FILE": "/nowhere"}, "keep one of them"),
        (
            {"PAYMENT_API_TOKEN": "", "PAYMENT_API_TOKEN_FILE": "/nowhere"},
            "PAYMENT_API_TOKEN_FILE cannot be read",
        ),
        ({"OPERATOR_KEY": "x" * 31}, "at least 32"),
        ({"TICKETING_PROT": "3004"}, "TICKETING_PROT is not a setting; did you mean TICKETING_PORT?"),
        ({"WEB_THREADS_FILE": "x"}, "WEB_THREADS_FILE is not a setting"),
        ({"TICKETING_PORT": "tcp://10.0.0.1:3004"}, "is a Kubernetes service link"),
        (
            {"REDIS_PORT": "tcp://10.0.0.1:6379"},
            "REDIS_PORT=tcp://10.0.0.1:6379 is a Kubernetes service link",
        ),
        ({"REDIS_PROT": "6379"}, "did you mean REDIS_PORT?"),
        ({"REDIS_SENTINELS": "10.0.0.1"}, "addresses such as 10.0.0.1:26379"),
        ({"REDIS_SENTINELS": "10.0.0.1:70000"}, "addresses such as"),
        ({"REDIS_SENTINELS": "a:26379"}, "REDIS_SENTINELS and REDIS_MASTER go together"),
        ({"REDIS_DB_TICKETING": "-1"}, "from 0 to 9999"),
        ({"TICKETING_PORT": "70000"}, "from 1 to 65535"),
        ({"TICKETING_PORT": "٣"}, "whole number"),
        ({"WEB_THREADS": "3"}, "from 4 to 64"),
        ({"PUBLIC_URL": "t.example"}, "begins with http:// or https://"),
        ({"PUBLIC_URL": "http://[bad"}, "begins with http:// or https://"),
        ({"BIND_HOST": "everywhere"}, "IP address or localhost"),
        ({"DATABASE_URL": "sqlite://x"}, "DATABASE_URL must begin"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "addresses and networks"),
        ({"RETURN_URL_ORIGINS": "https://a.example/path"}, "origins such as"),
        ({"LOG_LEVEL": "loud"}, "one of debug, info, warning, error"),
        ({"SMTP_URL": "http://mail"}, "smtp://"),
        ({"MAIL_FROM": "a@b\nBcc: c"}, "one line"),
    ],
)
def test_an_impossible_setting_is_one_clear_line(environ, line):
    with pytest.raises(SettingError, match=None) as caught:
        load("ticketing", {**SECRETS, **environ})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("TICKETING_SERVICE_HOST", "10.0.0.1"),
        ("TICKETING_SERVICE_PORT", "3004"),
        ("TICKETING_SERVICE_PORT_HTTP", "3004"),
        ("TICKETING_PORT_3004_TCP", "tcp://10.0.0.1:3004"),
        ("TICKETING_PORT_3004_TCP_ADDR", "10.0.0.1"),
        ("PAYMENT_SANDBOX_PORT", "tcp://10.0.0.2:3005"),
        ("PATH", "/bin"),
    ],
)
def test_what_kubernetes_and_the_shell_add_is_not_ours(name, value):
    assert load("ticketing", {**SECRETS, name: value}).ticketing_port == 3004


def test_the_start_ends_with_status_2_and_the_line(capsys):
    with pytest.raises(SystemExit) as caught:
        load_or_exit("ticketing", {**SECRETS, "WEB_WORKERS": "0"})
    assert caught.value.code == 2
    assert capsys.readouterr().err == "WEB_WORKERS must be a whole number from 1 to 64, not '0'\n"


def test_every_default_can_be_read_and_the_example_has_every_setting():
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    example = render_env_example()
    for setting in SETTINGS:
        setting.parse(setting.default)
        assert f"\n#{setting.name}={setting.default}\n" in example
        assert not (setting.secret and setting.default)


def test_the_example_in_the_repository_is_the_rendered_one():
    root = Path(__file__).parents[3]
    assert (root / ".env.example").read_text() == render_env_example()
