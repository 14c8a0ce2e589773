"""What the files capability knows. Pure; one file per noun."""

from chalicelib.files.model.cells import Cell, Column, Fault, SheetRow, guard, unguard
from chalicelib.files.model.exports import EXPORT_LIFECYCLE, MAX_EXPORT_ROWS, Export, OutColumn, Part, with_chunk
from chalicelib.files.model.imports import (
    IMPORT_LIFECYCLE,
    MAX_FILE_BYTES,
    SECRETS_RETENTION,
    Import,
    Made,
    Mode,
    chunk_of,
    first_phase,
)
from chalicelib.files.model.jobs import Acting, FileFormat
from chalicelib.files.model.sheets import InputRow, RowError, input_rows, typed

__all__ = [
    "EXPORT_LIFECYCLE",
    "IMPORT_LIFECYCLE",
    "MAX_EXPORT_ROWS",
    "MAX_FILE_BYTES",
    "SECRETS_RETENTION",
    "Acting",
    "Cell",
    "Column",
    "Export",
    "Fault",
    "FileFormat",
    "Import",
    "InputRow",
    "Made",
    "Mode",
    "OutColumn",
    "Part",
    "RowError",
    "SheetRow",
    "chunk_of",
    "first_phase",
    "guard",
    "input_rows",
    "typed",
    "unguard",
    "with_chunk",
]
