"""What operators see of a charger beyond its sessions; each file adds its endpoints to `api`."""

from chalicelib.maintenance.api_operator import certificates, inventories, journal, local_lists
from chalicelib.maintenance.api_operator.common import api

__all__ = ["api", "certificates", "inventories", "journal", "local_lists"]
