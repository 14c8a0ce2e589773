"""Use cases of files, one file per noun: asking for imports, working them off, asking for exports, reading them."""

from chalicelib.files.service.exporting import (
    advance_export,
    export_file,
    find_export,
    list_exports,
    request_export,
    template_file,
)
from chalicelib.files.service.importing import (
    find_import,
    import_errors,
    list_imports,
    request_import,
    result_file,
)
from chalicelib.files.service.running import advance_import

__all__ = [
    "advance_export",
    "advance_import",
    "export_file",
    "find_export",
    "find_import",
    "import_errors",
    "list_exports",
    "list_imports",
    "request_export",
    "request_import",
    "result_file",
    "template_file",
]
