"""The second factor: asked for at the sign-in, set up, renewed and given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from admin_service.actions.passwords import prove_password
from admin_service.actions.ports import Ports
from admin_service.actions.pseudonyms import subject_of
from admin_service.actions.sign_in import Device, SignedIn, must_have_second_factor, open_session
from admin_service.domain import second_factor
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.passwords import check_length, normal
from admin_service.domain.users import SecondFactor, User, email_hash

ISSUER = "Destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishSignIn:
    """One of `code` and `recovery_code`, to the step that `token` leads to."""

    token: str
    code: str | None = None
    recovery_code: str | None = None
    device: Device


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given; `uri` is for a QR code."""

    secret: str
    uri: str


def finish_sign_in(command: FinishSignIn, ports: Ports) -> SignedIn:
    """Raises SIGN_IN_STEP_ENDED, ACCOUNT_LOCKED, CODE_REFUSED. Wrong codes count like wrong passwords."""
    user = user_at_step(command.token, "code", ports)
    hashed = email_hash(user.email)
    ports.store.sessions.attempt(hashed, ports.clock())
    if not _is_good(command, user, ports):
        event = ports.event(command.device.origin, "sessions.refused", subject_of(user.email, ports))
        ports.store.audit.append(event)
        raise Refused(Code.CODE_REFUSED)
    return open_session(user, command.device, ports)


def user_at_step(token: str, step: str, ports: Ports) -> User:
    """Whom the token leads to `step`. Raises SIGN_IN_STEP_ENDED."""
    user_id = ports.access_tokens.read_step(token, step, ports.clock())
    user = None if user_id is None else ports.store.users.get(user_id)
    if user is None or not user.is_active:
        raise Refused(Code.SIGN_IN_STEP_ENDED)
    return user


def begin_enrolment(user: User, password: str | None, ports: Ports) -> Enrolment:
    """A new secret, in force once a code of it is confirmed; until then the old one stays. `password`: None
    when it was proved just now. Raises PASSWORD_WRONG, ACCOUNT_LOCKED.
    """
    if password is not None:
        prove_password(user, password, ports)
    secret = second_factor.new_secret()
    sealed = ports.sealing.seal(secret, str(user.id))
    ports.store.users.set_factor(user.id, replace(user.factor, sealed_pending=sealed), None)
    return Enrolment(secret, second_factor.enrolment_uri(secret, user.email, ISSUER))


def confirm_enrolment(user: User, code: str, origin: Origin, ports: Ports) -> tuple[str, ...]:
    """The new recovery codes, shown this once. Raises CODE_REFUSED, SECOND_FACTOR_ABSENT if none is begun."""
    pending = user.factor.sealed_pending
    if pending is None:
        raise Refused(Code.SECOND_FACTOR_ABSENT)
    secret = ports.sealing.open(pending, str(user.id))
    step = second_factor.step_of(secret, code, ports.clock(), 0)
    if step is None:
        raise Refused(Code.CODE_REFUSED, pointer="/code")
    codes = second_factor.new_recovery_codes()
    factor = SecondFactor(
        sealed_secret=pending,
        last_step=step,
        recovery_hashes=tuple(map(second_factor.recovery_hash, codes)),
    )
    ports.store.users.set_factor(user.id, factor, ports.event(origin, "users.second-factor-on", user.id))
    return codes


def renew_recovery_codes(user: User, password: str, origin: Origin, ports: Ports) -> tuple[str, ...]:
    """New recovery codes in the place of all others. Raises SECOND_FACTOR_ABSENT, PASSWORD_WRONG."""
    _in_force(user)
    prove_password(user, password, ports)
    codes = second_factor.new_recovery_codes()
    factor = replace(user.factor, recovery_hashes=tuple(map(second_factor.recovery_hash, codes)))
    ports.store.users.set_factor(user.id, factor, ports.event(origin, "users.recovery-codes", user.id))
    return codes


def turn_off(user: User, password: str, origin: Origin, ports: Ports) -> None:
    """Raises SECOND_FACTOR_ABSENT, SECOND_FACTOR_NEEDED (by a role), PASSWORD_WRONG, and PASSWORD_TOO_SHORT
    for one that is too short to stand alone.
    """
    _in_force(user)
    if must_have_second_factor(user, ports):
        raise Refused(Code.SECOND_FACTOR_NEEDED)
    prove_password(user, password, ports)
    check_length(normal(password), "/password", alone=True)
    event = ports.event(origin, "users.second-factor-off", user.id)
    ports.store.users.set_factor(user.id, SecondFactor(), event)


def reset_for(user_id: UUID, origin: Origin, ports: Ports) -> None:
    """An administrator takes a lost second factor away. Raises USER_NOT_FOUND."""
    event = ports.event(origin, "users.second-factor-off", user_id)
    ports.store.users.set_factor(user_id, SecondFactor(), event)


def _in_force(user: User) -> None:
    if not user.factor.in_force:
        raise Refused(Code.SECOND_FACTOR_ABSENT)


def _is_good(command: FinishSignIn, user: User, ports: Ports) -> bool:
    if command.recovery_code is not None:
        hashed = second_factor.recovery_hash(command.recovery_code)
        event = ports.event(command.device.origin, "users.recovery-code-used", user.id)
        return ports.store.users.use_recovery(user.id, hashed, event)
    sealed = user.factor.sealed_secret
    if sealed is None or command.code is None:
        return False
    secret = ports.sealing.open(sealed, str(user.id))
    step = second_factor.step_of(secret, command.code, ports.clock(), user.factor.last_step)
    return step is not None and ports.store.users.use_code(user.id, step)
