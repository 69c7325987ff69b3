"""Records: what a command said, kept beside its certificates, and how files are told apart.

A record is ``OUT/records/COMMAND/DIGEST.json``: the words of the command that makes it again, the
JSON that the command prints, the claims that are not in the catalogue, and the SHA-256 of every
certificate that it names. Paths in it start from OUT, so the folder may be moved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from theorylab.claims import Claim, all_claims
from theorylab.kernel.statements import SCHEMA as CERTIFICATE
from theorylab.model.rational import write_whole
from theorylab.outcome import InputError

Json = dict[str, Any]

SCHEMA: Final = "theorylab.record/1"
FOLDER: Final = "records"
# They change from run to run, or say where and how fast, not what was done.
_PASSING: Final = ("seconds", "certificate")
_PLACES: Final = ("--out", "--threads", "--dask", "--seconds")


@dataclass(frozen=True, slots=True)
class Record:
    """What one command said: ``document`` is its JSON, ``command`` None when Python was asked.

    ``claims`` are those outside of the catalogue, by id (``Claim.to_json``); ``certificates`` maps
    the paths named in the document to the SHA-256 of the files.
    """

    command: tuple[str, ...] | None
    document: Any
    claims: Mapping[str, Json] = field(default_factory=dict)
    certificates: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def documents(self) -> tuple[Json, ...]:
        """The objects of the document: one, or those of a list."""
        return tuple(self.document) if isinstance(self.document, list) else (self.document,)

    @property
    def schema(self) -> str:
        """The schema of the document; nothing for an empty list."""
        return str(self.documents[0]["schema"]) if self.documents else ""


def keep(
    out: str | Path,
    verb: str,
    document: Any,
    command: Sequence[str] | None = None,
    claims: Sequence[Claim] = (),
) -> Path:
    """Write the record of a run into the folder of its certificates; its path.

    Its name is made of ``command`` without the options that do not change what is found, or, where
    Python was asked, of the document. So the same command replaces its record; others stay.
    Guarantees: written whole or not at all. Raises InputError when it cannot be written.
    """
    folder = Path(out)
    words = None if command is None else _lasting(command)
    moved = json.loads(json.dumps(document))
    named = dict(_relative(moved, folder))
    subject: Any = words if words is not None else [verb, _without_passing(moved)]
    digest = hashlib.sha256(json.dumps(subject, sort_keys=True).encode()).hexdigest()
    from theorylab import __version__

    catalogue = {claim.id for claim in all_claims()}
    value = {
        "schema": SCHEMA,
        "version": __version__,
        "command": words,
        "claims": {claim.id: claim.to_json() for claim in claims if claim.id not in catalogue},
        "certificates": named,
        "document": moved,
    }
    place = folder / FOLDER / verb
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"the folder cannot be made ({error.strerror})"
        raise InputError("out", str(place), rule, "choose another folder") from None
    raw = (json.dumps(value, indent=1) + "\n").encode()
    return write_whole(place / f"{digest[:16]}.json", raw, "out")


def _lasting(command: Sequence[str]) -> list[str]:
    """The command without the options about where, how fast and how long."""
    kept, skip = list[str](), False
    for word in command:
        if not skip and word not in _PLACES:
            kept.append(word)
        skip = not skip and word in _PLACES
    return kept


def _relative(value: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """Rewrite the certificate paths in a document; each with the SHA-256 of its file."""
    if isinstance(value, list):
        for item in value:
            yield from _relative(item, folder)
    if not isinstance(value, dict):
        return
    path = value.get("certificate")
    if isinstance(path, str) and Path(path).is_relative_to(folder):
        place = Path(path).relative_to(folder).as_posix()
        value["certificate"] = place
        yield place, hashlib.sha256((folder / place).read_bytes()).hexdigest()
    for item in value.values():
        yield from _relative(item, folder)


def _without_passing(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_passing(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: _without_passing(v) for k, v in value.items() if k not in _PASSING}


def decoded(raw: bytes) -> Any:
    """The JSON in these bytes. ValueError for anything else, however deep it is nested."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def kind(value: Any) -> str:
    """The schema of decoded JSON, that of its first object for a list; "" for none of ours.

    >>> kind({"schema": "theorylab.count/1"}), kind([]), kind({"schema": "geojson"})
    ('theorylab.count/1', '', '')
    """
    if isinstance(value, list):
        return kind(value[0]) if value and isinstance(value[0], dict) else ""
    schema = value.get("schema") if isinstance(value, dict) else None
    return schema if isinstance(schema, str) and schema.startswith("theorylab.") else ""


def is_record(path: str | Path) -> bool:
    """Whether a file is one of ours but no certificate: a record, or what a command printed.

    A file that is damaged, cannot be read or is not known is none.
    """
    try:
        found = kind(decoded(Path(path).read_bytes()))
    except (OSError, ValueError):
        return False
    return found not in ("", CERTIFICATE)


def record_of(value: Any) -> Record:
    """The record in decoded JSON, or a bare document that a command printed.

    Raises ValueError, in words, for a damaged one and for paths that leave the folder.
    """
    if kind(value) != SCHEMA:
        if not kind(value):
            raise ValueError("it is no record")
        return Record(None, value)
    names = ("command", "document", "claims", "certificates", "version")
    if any(name not in value for name in names):
        raise ValueError("it is not complete")
    command, document, claims, certificates, version = (value[name] for name in names)
    listed = document if isinstance(document, list) else [document]
    texts = [version, *(command or ()), *_items(claims), *_items(certificates)]
    texts += list(certificates.values())
    if not isinstance(command, list | None) or not all(isinstance(t, str) for t in texts):
        raise ValueError("its words are no texts")
    if not all(isinstance(one, dict) for one in (*listed, *claims.values())):
        raise ValueError("its document is no object")
    if not kind(document):
        raise ValueError("its document is none of theorylab")
    for path in certificates:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\0" in path:
            raise ValueError("it names a certificate outside of its folder")
    words = None if command is None else tuple(command)
    return Record(words, document, claims, certificates, version)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        raise ValueError("it is malformed")
    return list(value)
