"""Where an address leads, told without asking anybody: to this machine, its network, the cloud's metadata, or outside.

Knows the ways to write a host so that a check misses it: decimal, octal, hexadecimal and shortened IPv4, IPv4 inside
IPv6, a trailing dot, `localhost` names, names that carry an address (nip.io and its like), user names before the host.
A public name may still resolve to a private address: whoever connects checks what it resolved to (`public`).
"""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import unquote, urlsplit

_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "localdomain")
_CARRIES = re.compile(r"(?:^|[.-])((?:\d{1,3}[.-]){3}\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io|localtest\.me)$")
_ALWAYS_LOCAL = ("localtest.me", "lvh.me", "vcap.me", "lacolhost.com")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|\d+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,31}):")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def scheme_of(text: str) -> str:
    """Return the scheme that a text begins with, in lower case, or nothing. Spaces inside it count for nothing."""
    squeezed = re.sub(r"[\x00-\x20]", "", text[:64])
    found = _SCHEME.match(squeezed)
    return found[1].lower() if found else ""


def host_of(url: str) -> str | None:
    """Return the host of a URL as a client would take it, or None when there is none to be told."""
    try:
        return (urlsplit(url.strip().replace("\\", "/")).hostname or "").rstrip(".").lower() or None
    except ValueError:
        return None


def inside(host: str, allowed: Collection[str] = ()) -> str:
    """Return why a host is not outside (empty when it seems to be). Hosts in `allowed` are as good as outside."""
    name = unquote(host).rstrip(".").lower()
    if name in allowed:
        return ""
    address = _address(name)
    if address is not None:
        return "" if public(address) else f"{host} is an address of this machine or its network"
    if any(name == local or name.endswith(f".{local}") for local in (*_LOCAL_NAMES, *_ALWAYS_LOCAL)):
        return f"{host} is a name of this machine or its network"
    carried = _CARRIES.search(name)
    if carried and not public(ipaddress.ip_address(carried[1].replace("-", "."))):
        return f"{host} is a name for an address of this machine or its network"
    return ""


def public(address: Address | str) -> bool:
    """Return whether an address is one of the Internet at large."""
    one = ipaddress.ip_address(address) if isinstance(address, str) else address
    if isinstance(one, ipaddress.IPv6Address):
        within = one.ipv4_mapped or one.sixtofour
        if within is None and one in _NAT64:
            within = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if within is not None:
            return public(within)
        return one.is_global and not one.is_multicast
    return one.is_global and not one.is_multicast and one not in _SHARED


def _address(name: str) -> Address | None:
    """Return the address that a host is written as, in any of the forms that resolvers take (inet_aton)."""
    try:
        return ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        pass
    parts = name.split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [
            int(part, 16) if part[:2] in ("0x", "0X") and part[2:] else _decimal_or_octal(part) for part in parts
        ]
    except ValueError:
        return None
    total = numbers[-1]
    if total >= 1 << (8 * (5 - len(numbers))) or any(number > 255 for number in numbers[:-1]):
        return None
    for at, number in enumerate(numbers[:-1]):
        total += number << (24 - 8 * at)
    return ipaddress.IPv4Address(total)


def _decimal_or_octal(part: str) -> int:
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part)
