"""Pictures, fonts, sounds and documents: told apart from models, so that a folder's readme may have a picture.

Only a file whose beginning and name agree; a picture called model.bin stays an unknown format.
"""

_PICTURES = {
    (".png",): (b"\x89PNG\r\n\x1a\n",),
    (".jpg", ".jpeg"): (b"\xff\xd8\xff",),
    (".gif",): (b"GIF87a", b"GIF89a"),
    (".webp",): (b"RIFF",),
    (".bmp",): (b"BM",),
    (".ico",): (b"\0\0\x01\0",),
    (".tif", ".tiff"): (b"II*\0", b"MM\0*"),
}
_FONTS = {
    (".woff",): (b"wOFF",),
    (".woff2",): (b"wOF2",),
    (".ttf", ".otf", ".ttc"): (b"\0\x01\0\0", b"OTTO", b"true", b"ttcf"),
}
_SOUNDS = {
    (".wav",): (b"RIFF",),
    (".mp3",): (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    (".ogg", ".opus"): (b"OggS",),
    (".flac",): (b"fLaC",),
}
_KINDS: dict[str, dict[tuple[str, ...], tuple[bytes, ...]]] = {
    "picture": _PICTURES,
    "font": _FONTS,
    "sound": _SOUNDS,
    "document": {(".pdf",): (b"%PDF-",)},
}


def kind_of(data: memoryview, name: str) -> str:
    """Return what kind of medium a file is by its marks and its name in lower case; empty when it is none."""
    head = bytes(data[:12])
    if name.endswith((".mp4", ".mov", ".m4a")) and head[4:8] == b"ftyp":
        return "film"
    for kind, marks in _KINDS.items():
        if any(name.endswith(ends) and head.startswith(begins) for ends, begins in marks.items()):
            return kind
    return ""
