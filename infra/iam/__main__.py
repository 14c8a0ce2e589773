"""`python -m infra.iam`: writes infra/stack/roles.yaml."""

from __future__ import annotations

from infra.iam.roles import ROLES_PATH, render

if __name__ == "__main__":
    ROLES_PATH.write_text(render())
