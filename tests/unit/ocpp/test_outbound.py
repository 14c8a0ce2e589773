"""What goes out to a charger is what is still wanted, on the connection that it speaks on."""

from __future__ import annotations

import json

from chalicelib.chargers import service as chargers
from chalicelib.charging import service as charging
from chalicelib.ocpp import outbound
from tests.site import CONNECTION_ID, Site


def sent(site: Site) -> list[str]:
    """The actions that were posted to the charger, after its queue was looked at."""
    outbound.send_next(site.world.ctx, site.charger.charger_id)
    return [json.loads(text)[2] for text in site.world.posted(CONNECTION_ID)]


def test_a_start_is_sent_while_it_is_wanted(site: Site) -> None:
    site.request(500)
    assert sent(site) == ["RemoteStartTransaction"]


def test_a_start_that_was_called_off_in_the_queue_is_not_sent(site: Site) -> None:
    session = site.request(500)
    site.world.commit(lambda uow: charging.cancel_or_stop(uow, session, requested_by="drv"))
    assert sent(site) == []
    link = chargers.get_link(site.world.ctx, site.charger.charger_id)
    assert link is not None
    assert link.outbound == []
    assert site.session(session.session_id).state == "expired"
    assert site.available() == 2000
