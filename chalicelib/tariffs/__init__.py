"""Prices: charging tariffs in the shape of OCPI 2.2.1, who they apply to, and rating."""
