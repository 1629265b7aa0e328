"""Tells people of an alert: webhook, Slack-compatible webhook, mail, OCSF events. One that fails does not stop another.

Formats: OCSF 1.3 Detection Finding (class 2004); Slack incoming webhooks. Addresses and passwords stay out of errors.
"""

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

import httpx

from bartizan import __version__
from bartizan.core import settings
from bartizan.core.sections.watch import Watch
from bartizan.ledger.alerts import Raised

_TIMEOUT_S = 10.0
_SEVERITY = ("", "informational", "low", "medium", "high", "critical")


class Way(Protocol):
    """A way to tell people."""

    def __call__(self, raised: Raised) -> None:
        """Tell them. Raises OSError or httpx.HTTPError when it cannot be done."""
        ...


def ways(plan: Watch) -> dict[str, Way]:
    """Return the ways that the settings name. Raises BadSettings when one names a secret that is not there."""
    found: dict[str, Way] = {}
    if plan.webhook_env:
        url = settings.secret(plan.webhook_env, "", "watch.webhook_env")
        found["webhook"] = lambda raised: _post(url, plain(raised))
    if plan.slack_env:
        slack = settings.secret(plan.slack_env, "", "watch.slack_env")
        found["slack"] = lambda raised: _post(
            slack, {"text": f"Bartizan, {_SEVERITY[raised.severity]}: {raised.message}"}
        )
    if plan.ocsf_file:
        found["ocsf"] = lambda raised: _append(Path(plan.ocsf_file), ocsf(raised))
    if plan.smtp_host and plan.smtp_to:
        named = settings.secret(plan.smtp_password_env, "", "watch.smtp_password_env") if plan.smtp_password_env else ""
        found["mail"] = lambda raised: _mail(plan, named, raised)
    return found


def deliver(raised: Raised, by: dict[str, Way]) -> tuple[list[str], dict[str, str]]:
    """Tell people in every way; return the ways that worked, and for the others what kind of error it was."""
    done, failed = [], {}
    for name, tell in by.items():
        try:
            tell(raised)
        except (OSError, httpx.HTTPError, smtplib.SMTPException) as error:
            failed[name] = type(error).__name__
        else:
            done.append(name)
    return done, failed


def plain(raised: Raised) -> dict[str, Any]:
    """Return an alert as the webhook gets it."""
    return {"bartizan": __version__, "type": "alert", **asdict(raised)}


def ocsf(raised: Raised) -> dict[str, Any]:
    """Return an alert as an OCSF 1.3 Detection Finding."""
    return {
        "class_uid": 2004,
        "category_uid": 2,
        "activity_id": 1,
        "type_uid": 200401,
        "time": raised.time_ns // 10**6,
        "severity_id": raised.severity,
        "status_id": 1,
        "message": raised.message,
        "count": raised.count,
        "finding_info": {
            "uid": f"{raised.name}-{raised.seqs[-1]}",
            "title": raised.name,
            "desc": raised.message,
            "created_time": raised.time_ns // 10**6,
        },
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "Bartizan", "vendor_name": "Bartizan", "version": __version__},
        },
        "unmapped": {"ledger_records": list(raised.seqs)},
    }


def _post(url: str, body: dict[str, Any]) -> None:
    with httpx.Client(timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
        client.post(url, json=body).raise_for_status()


def _append(path: Path, body: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(body) + "\n")


def _mail(plan: Watch, password: str, raised: Raised) -> None:
    message = EmailMessage()
    message["From"], message["To"] = plan.smtp_from, ", ".join(plan.smtp_to)
    message["Subject"] = f"Bartizan, {_SEVERITY[raised.severity]}: {raised.name}"
    message.set_content(f"{raised.message}\n\nRecords of the ledger: {', '.join(map(str, raised.seqs))}\n")
    with _server(plan) as server:
        if plan.smtp_user:
            server.login(plan.smtp_user, password)
        server.send_message(message)


def _server(plan: Watch) -> smtplib.SMTP:
    if plan.smtp_port == 465:
        return smtplib.SMTP_SSL(plan.smtp_host, 465, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    server = smtplib.SMTP(plan.smtp_host, plan.smtp_port, timeout=_TIMEOUT_S)
    if plan.smtp_tls:
        start: Callable[..., Any] = server.starttls
        start(context=ssl.create_default_context())
    return server
