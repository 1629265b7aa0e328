"""The arithmetic of limits: integers only, no input or output. What Lua does in Redis is this, line by line.

Budgets: a window is cut into 60 parts; what was spent in a part counts until the whole part has left the window, so a
cap holds in every window wherever it begins. Rates: GCRA in its leaky-bucket form, exact without fractions: a level in
units x milliseconds that falls by `cap` each millisecond.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from bartizan.ledger.stores.base import (
    EVERYTHING,
    KEEP_MS,
    MOST,
    Admitted,
    Amounts,
    Denied,
    Hold,
    Left,
    Limit,
    Standing,
)

PARTS = 60
HELD, EXPIRED, SETTLED = 0, 1, 2


class Account(Struct, array_like=True, gc=False):
    """What one limit remembers."""

    held: int = 0
    spent: dict[int, int] = {}
    level: int = 0
    at_ms: int = 0
    until_ms: int = 0
    """When nothing counts in it any more unless something is held; 0: never."""


class Row(Struct, array_like=True, gc=False):
    """A hold with its state. `until_ms` is the end of its lease, later the time at which it can be forgotten."""

    hold: Hold
    state: int
    until_ms: int
    charged_ms: int = 0


@dataclass(slots=True)
class View:
    """What one step reads and writes: accounts by name, holds by id, scopes that are switched off."""

    accounts: dict[str, Account] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    switches: dict[str, str] = field(default_factory=dict)

    def account(self, limit: Limit) -> Account:
        """Return the account of `limit`; a new one when there is none."""
        found = self.accounts.get(limit.account)
        if found is None:
            found = self.accounts[limit.account] = Account()
        return found


def part(limit: Limit, now_ms: int) -> int:
    """Return the number of the part of the window that `now_ms` is in. Without a window there is one part."""
    return now_ms // _width(limit) if limit.window_ms else 0


def _width(limit: Limit) -> int:
    return -(-limit.window_ms // PARTS)


def spent(account: Account, limit: Limit, now_ms: int) -> int:
    """Return what still counts, and forget what does not."""
    if limit.window_ms and account.spent:
        last_gone = (now_ms - limit.window_ms) // _width(limit) - 1
        if min(account.spent) <= last_gone:
            for number in [number for number in account.spent if number <= last_gone]:
                del account.spent[number]
    return sum(account.spent.values())


def standing(account: Account, limit: Limit, now_ms: int) -> Standing:
    """Return how an account stands; recent is the last twelfth of its window, or as long as it has been used."""
    total = spent(account, limit, now_ms)
    since = part(limit, now_ms) - PARTS // 12 + 1
    parts = [number for number in account.spent if number >= since] if limit.window_ms else []
    recent_ms = max(now_ms - max(min(account.spent), since) * _width(limit), 1) if parts else 0
    return Standing(limit.account, total, account.held, sum(account.spent[number] for number in parts), recent_ms)


def admit(view: View, hold: Hold, lease_ms: int, now_ms: int) -> Admitted | Denied:
    """Check every limit, then take from all of them. Denied takes nothing."""
    if hold.id in view.rows:
        return Denied("off", "this hold was admitted before")  # a message that arrives after its sender gave up
    if view.switches:
        for scope in (EVERYTHING, *hold.scopes):
            if scope in view.switches:
                return Denied("off", scope)
    amounts, known, asked, denied = hold.amounts, view.accounts, [], []
    for limit in hold.limits:
        account = known.get(limit.account) or view.account(limit)
        wanted = amounts.of(limit.unit)
        if limit.kind == "rate":
            room = _rate_room(account, limit, now_ms)
            short = wanted * limit.window_ms - room
        else:
            room = limit.cap - account.held - (spent(account, limit, now_ms) if account.spent else 0)
            short = wanted - room
        if short > 0:
            denied.append(_denial(limit, wanted, room, short))
        asked.append((account, limit, wanted, room))
    if denied:
        return max(denied, key=lambda said: (said.retry_ms is None, said.retry_ms or 0))
    view.rows[hold.id] = Row(hold, HELD, now_ms + lease_ms)
    return Admitted(tuple([_take(*one, now_ms) for one in asked]))


def _rate_room(account: Account, limit: Limit, now_ms: int) -> int:
    """Return what can still be taken of a rate, in units x milliseconds."""
    _decay(account, limit, now_ms)
    return _burst(limit) * limit.window_ms - account.level


def _denial(limit: Limit, wanted: int, room: int, short: int) -> Denied:
    if limit.kind == "rate":
        retry = -(-short // limit.cap) if limit.cap > 0 and wanted <= _burst(limit) else None
        return Denied("rate", limit.account, limit, max(room, 0) // limit.window_ms, retry)
    return Denied(limit.kind, limit.account, limit, max(room, 0), 1000 if limit.kind == "slots" else None)


def _take(account: Account, limit: Limit, wanted: int, room: int, now_ms: int) -> Left:
    window = limit.window_ms
    if limit.kind == "rate":
        account.level += wanted * window
        _keep_level(account, limit, now_ms)
        return Left(limit, (room - wanted * window) // window, -(-account.level // limit.cap))
    account.held += wanted
    if limit.kind == "slots":
        account.until_ms = now_ms
    elif window:
        account.until_ms = now_ms + window - (-window // PARTS)
    return Left(limit, room - wanted)


def _keep_level(account: Account, limit: Limit, now_ms: int) -> None:
    """Note until when the level of a rate must be remembered."""
    account.until_ms = now_ms + -(-account.level // max(limit.cap, 1))


def _burst(limit: Limit) -> int:
    return limit.burst or limit.cap


def _decay(account: Account, limit: Limit, now_ms: int) -> None:
    passed = max(now_ms - account.at_ms, 0)
    account.level = max(account.level - passed * limit.cap, 0)
    account.at_ms = max(now_ms, account.at_ms)


def settle(view: View, hold: Hold, used: Amounts, now_ms: int) -> bool:
    """Replace what was held by what was used. False when that was done before."""
    row = view.rows.get(hold.id)
    state = None if row is None else row.state
    if state == SETTLED:
        return False
    kept = hold if row is None else row.hold
    for limit in kept.limits:
        account = view.accounts.get(limit.account) or view.account(limit)
        reserved, real = kept.amounts.of(limit.unit), min(used.of(limit.unit), MOST)
        if limit.kind == "rate":
            _decay(account, limit, now_ms)
            before = 0 if row is None else reserved
            account.level = max(account.level + (real - before) * limit.window_ms, 0)
            _keep_level(account, limit, now_ms)
            continue
        if state == HELD:
            account.held -= reserved
        if limit.kind == "slots":
            account.until_ms = now_ms
        elif row is not None and state == EXPIRED:
            _correct(account, part(limit, row.charged_ms), real - reserved)
        else:
            _charge(account, limit, now_ms, real)
    view.rows[hold.id] = Row(Hold(hold.id, (), used), SETTLED, now_ms + KEEP_MS)
    return True


def _charge(account: Account, limit: Limit, now_ms: int, amount: int) -> None:
    """Count `amount` from now on."""
    number, window = 0, limit.window_ms
    if window:
        width = -(-window // PARTS)
        number, account.until_ms = now_ms // width, now_ms + window + width
    if amount:
        account.spent[number] = min(account.spent.get(number, 0) + amount, MOST)


def _correct(account: Account, number: int, difference: int) -> None:
    """Change what was charged in a part; one that has left the window no longer counts."""
    if number in account.spent:
        account.spent[number] = max(account.spent[number] + difference, 0)


def expire(view: View, rows: Iterable[Row], now_ms: int) -> int:
    """Charge holds whose lease ran out what they held. They are remembered, so that a late settling corrects them."""
    count = 0
    for row in rows:
        if row.state != HELD or row.until_ms > now_ms:
            continue
        count += 1
        for limit in row.hold.limits:
            if limit.kind == "rate":
                continue
            account, reserved = view.account(limit), row.hold.amounts.of(limit.unit)
            account.held -= reserved
            if limit.kind == "budget":
                _charge(account, limit, now_ms, reserved)
            else:
                account.until_ms = now_ms
        view.rows[row.hold.id] = Row(row.hold, EXPIRED, now_ms + 24 * KEEP_MS, now_ms)
    return count
