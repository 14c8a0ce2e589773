"""The page at /docs: reads /openapi.json and lets one try every operation. Loads nothing from elsewhere."""
