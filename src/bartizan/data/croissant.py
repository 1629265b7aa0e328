"""Croissant metadata (MLCommons Croissant 1.0, JSON-LD) in and out: what others say of a data set, what we say of ours.

What comes in is a claim of its author: names, licence and creators become provenance, and the SHA-256 of its files are
compared with the files that are there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadArtifact
from bartizan.data.manifest import Manifest, Provenance
from bartizan.data.statistics import Column

CONFORMS = "http://mlcommons.org/croissant/1.0"
_MOST_BYTES = 64 << 20
_MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonlines",
    "parquet": "application/x-parquet",
    "npz": "application/x-npz",
    "images": "image/*",
    "audio": "audio/*",
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
    "field": "cr:field",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "source": "cr:source",
    "fileObject": "cr:fileObject",
    "extract": "cr:extract",
    "column": "cr:column",
    "sha256": "cr:sha256",
}


def read(path: Path) -> dict[str, Any]:
    """Return the Croissant document at `path`. Raises BadArtifact unless it is one."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadArtifact(f"{path}: larger than {_MOST_BYTES} bytes: no metadata")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadArtifact(f"{path}: not JSON: {error}") from error
    kind = document.get("@type") if isinstance(document, dict) else None
    if kind not in ("sc:Dataset", "Dataset", "https://schema.org/Dataset"):
        raise BadArtifact(f"{path}: expected a Croissant document of @type sc:Dataset, got {kind!r}")
    return dict(document)


def provenance(document: dict[str, Any], source: str = "") -> Provenance:
    """Return what the document says about where the data comes from; `source` overrides its URL."""
    url = _text(document.get("url"))
    return Provenance(
        source=source or url or _text(document.get("name")) or "unknown",
        licence=_text(document.get("license")),
        collector=_text(document.get("creator")),
        collected=_text(document.get("datePublished")),
        description=_text(document.get("description"))[:1000],
        url=url,
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        return _text(value.get("name") or value.get("@id") or value.get("url"))
    return value if isinstance(value, str) else ""


def digests(document: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 that the document gives for files, by the last part of their URL."""
    found = {}
    for one in _objects(document.get("distribution")):
        digest, url = one.get("sha256"), one.get("contentUrl") or one.get("name")
        if isinstance(digest, str) and isinstance(url, str):
            found[url.rsplit("/", 1)[-1]] = digest.lower()
    return found


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def disagreements(document: dict[str, Any], files: dict[str, str]) -> list[str]:
    """Return what the document says of files (name -> SHA-256 in hex) that is not so."""
    said = digests(document)
    return [
        f"{name}: its SHA-256 is {digest[:16]}…, the metadata says {said[short][:16]}…"
        for name, digest in files.items()
        if (short := name.rsplit("/", 1)[-1]) in said and said[short] != digest
    ]


def written(manifest: Manifest, digests_by_file: dict[str, str]) -> dict[str, Any]:
    """Return the Croissant document of an admitted version; `digests_by_file` are whole files by name."""
    head = manifest.head
    about = head.provenance
    files = [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": f"data/{name}",
            "contentSize": f"{sum(shard.bytes for shard in manifest.shards[name])} B",
            "encodingFormat": _MEDIA[head.format],
            "sha256": digest,
        }
        for name, digest in digests_by_file.items()
    ]
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": head.name,
        "version": f"{head.version}.0.0",
        "url": about.url or about.source,
        "description": about.description or f"{head.rows} rows of {head.format}, admitted by Bartizan",
        "distribution": files,
        "isLiveDataset": False,
        "identifier": f"merkle-sha256:{manifest.root.hex()}",
    }
    known = {"license": about.licence, "creator": about.collector, "datePublished": about.collected}
    document |= {key: value for key, value in known.items() if value}
    if head.format in ("csv", "jsonl", "parquet"):
        first = next(iter(digests_by_file))
        fields = [_field(name, column, first) for name, column in head.columns.items()]
        document["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}]
    return document


def _field(name: str, column: Column, file: str) -> dict[str, Any]:
    kinds = {"number": "sc:Float", "truth": "sc:Boolean"}
    return {
        "@type": "cr:Field",
        "@id": f"rows/{name}",
        "name": name,
        "dataType": kinds.get(column.kind, "sc:Text"),
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
    }
