"""`python -m infra.local`: starts the platform, prints where it is, runs until it is interrupted."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys

import uvloop

from infra.local.gateway.server import reserve
from infra.local.settings import CannotStart, LocalSettings

os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-local-1")
os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")


async def run(settings: LocalSettings, listener: socket.socket) -> None:
    from infra.local.platform import Platform

    platform = Platform(settings, listener)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    started = await platform.start()
    print_welcome(settings, started.admin_email, started.new_admin_password)
    await stop.wait()
    await platform.stop()


def print_welcome(settings: LocalSettings, admin_email: str, new_password: str | None) -> None:
    base = f"127.0.0.1:{settings.port}"
    password = new_password or ("as given" if settings.admin_password else "as printed at the first start")
    lines = [
        "",
        f"  Wattfare is up        http://{base}/health",
        f"  API and its page      http://{base}/docs",
        f"  Chargers (OCPP)       ws://{base}/ocpp/<charger id>",
        f"  Captured messages     http://{base}/_local/messages",
        f"  Data                  {settings.data_dir or 'kept in memory only'}",
        f"  Platform admin        {admin_email}  password: {password}",
    ]
    if settings.demo:
        from infra.local import demo

        lines += [f"  {who:<21} {email}  password: {word}" for who, email, word in demo.sign_ins()]
    lines.append("")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> None:
    """What may refuse comes first: an administrator's password that is made is made once, and has to be shown."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    settings = LocalSettings.from_environment(os.environ)
    settings.prepare()
    with settings.occupied(), opened(settings.port) as listener:
        uvloop.install()
        asyncio.run(run(settings, listener))


def opened(port: int) -> socket.socket:
    """Raises CannotStart."""
    try:
        return reserve(port)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "somebody else has it; choose another, like PORT=8080 make run" if taken else error.strerror
        raise CannotStart(f"Port {port} cannot be opened: {why}.") from error


if __name__ == "__main__":
    try:
        main()
    except CannotStart as refusal:
        sys.exit(str(refusal))
