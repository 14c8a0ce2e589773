"""`python -m infra.local`: starts the platform, prints where it is, runs until it is interrupted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

import uvloop

from infra.local.settings import LocalSettings

os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-local-1")
os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")

log = logging.getLogger("wattfare.local")


async def run(settings: LocalSettings) -> int:
    from infra.local.platform import Platform

    platform = Platform(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    try:
        started = await platform.start()
    except OSError as error:
        log.error("port %s cannot be opened: %s", settings.port, error)
        return 1
    print_welcome(settings, started.admin_email, started.new_admin_password)
    await stop.wait()
    await platform.stop()
    return 0


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


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    uvloop.install()
    return asyncio.run(run(LocalSettings.from_environment(os.environ)))


if __name__ == "__main__":
    raise SystemExit(main())
