"""An abnormal order: a charge that was told half a day late, so that nobody is kept from starting the next one."""

from __future__ import annotations

from datetime import timedelta

from tests.site import Site


def things_of_orders(site: Site) -> dict[str, str]:
    known = {session.session_id for session in site.sessions()}
    began = site.world.clock.now() - timedelta(hours=14)
    outcome = site.start(meter_wh=2000, at=began, message_id="told-late")
    site.stop(outcome.transaction_id, 3000, at=began + timedelta(hours=1))
    [late] = [session for session in site.sessions() if session.session_id not in known]
    return {"abnormal_session_id": late.session_id}
