"""Rows of settlement, one file per noun. Private to this folder."""
