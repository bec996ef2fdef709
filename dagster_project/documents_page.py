"""The page of what was left out of a franchise's documents: `reports/documents/FRANCHISE.html`."""

from pathlib import Path

from pipeline.artifact import Artifact
from pipeline.reports.documents import write_documents_report

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "documents"


def write_documents_page(data: Path, franchise: str, title: str, documents: Artifact) -> Path:
    """Write the page of the finished documents of a franchise, in place of the last one."""
    path = data.absolute() / "reports" / FOLDER / f"{franchise}.html"
    write_documents_report(documents.folder, title, documents.figures, path)
    return path
