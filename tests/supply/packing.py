"""Packs members into archives for tests."""

import io
import tarfile
import zipfile


def archive(kind, members):
    """Return a zip or tar file with these members."""
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as packed:
            for name, data in members.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as packed:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
