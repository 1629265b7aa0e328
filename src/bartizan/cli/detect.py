"""`bartizan detect`: is there an attack in this text, or in the words of this picture? Files, standard input, lines."""

import argparse
import codecs
import contextlib
import functools
import json
import sys
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from bartizan.cli.base import CANNOT, FAILED, OK, Command
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact
from bartizan.core.messages import Text, Trust
from bartizan.core.sections.detect import Detect
from bartizan.detect.base import Detector
from bartizan.detect.detectors import detectors
from bartizan.detect.judge import Judge, Judgement
from bartizan.detect.lines import answered, judged, trust_of
from bartizan.detect.pictures.answers import Answer, Limits, Read
from bartizan.detect.pictures.reader import PictureReader
from bartizan.detect.screen import InputScreen
from bartizan.detect.stream import TextStream

_LINES = (".jsonl", ".ndjson")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_READ = 65_536
_LIMITS = Limits()


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="texts, pictures; standard input when none")
    parser.add_argument(
        "--jsonl", action="store_true", help="each line: {id, text, role} or {id, turns}; *.jsonl always is"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON for plain texts too, one line each")
    parser.add_argument("--follow", action="store_true", help="say while a text still comes in that it looks bad")
    parser.add_argument("--budget", choices=("1%", "0.1%"), default="1%", help="false positives at most (default 1%%)")
    parser.add_argument("--model", default="", metavar="FOLDER", help="a classifier other than the shipped one")
    parser.add_argument("--role", default="user", help="who wrote plain texts: user, tool, document (default: user)")


def _run(args: argparse.Namespace) -> int:
    """Judge everything. Lines: 0, or 2 when one could not be read. Texts: 0, or 1 when one is blocked."""
    in_order = detectors(args.budget, args.model)
    judge = Judge(in_order)
    screen = functools.partial(InputScreen, settings=Detect(budget=args.budget, model=args.model))
    codes = {OK}
    with contextlib.ExitStack() as opened:
        pictures = functools.cache(lambda: opened.enter_context(PictureReader(_LIMITS)))
        for path in args.files or [None]:
            try:
                with _opened(path) as file:
                    if path and path.suffix.lower() in _PICTURES:
                        read = pictures().read(file.read(_LIMITS.picture_bytes + 1))
                        codes.add(_print_picture(path, read, judge, args))
                    elif args.jsonl or (path and path.suffix.lower() in _LINES):
                        codes.add(_print_lines(judged(file, judge, screen)))
                    else:
                        codes.add(_print_text(file, str(path) if path else "standard input", in_order, args))
            except BadArtifact as error:  # the files behind it are judged all the same
                print(f"bartizan: {error}", file=sys.stderr)
                codes.add(CANNOT)
    return max(codes)


def _print_text(file: BinaryIO, name: str, in_order: tuple[Detector, ...], args: argparse.Namespace) -> int:
    if args.follow:
        judgement, text = _followed(file, TextStream(trust_of(args.role), name, in_order))
    else:
        text = file.read().decode("utf-8", "replace")
        judgement = Judge(in_order).judge(Text(text, trust_of(args.role), name))
    return _print_one(answered(judgement, name), text, args)


def _print_picture(path: Path, read: Answer, judge: Judge, args: argparse.Namespace) -> int:
    """Say what a picture says and what that is. A picture that cannot be read is one that cannot be judged."""
    if not isinstance(read, Read):
        raise BadArtifact(f"{path}: the picture was not read: {read.why}")
    text = read.reading.text
    worst = max((judge.judge(Text(text, trust, str(path))) for trust in _trusts(args.role)), key=lambda one: one.score)
    answer = answered(worst, str(path))
    if args.json:
        return _print_one({**answer, "words": text, "unread": read.reading.unread}, text, args)
    for line in text.splitlines():
        print(f"  | {visible(line)}")
    if read.reading.unread:
        print(f"  {read.reading.unread} lines look like text and could not be read")
    return _print_one(answer, text, args)


def _trusts(role: str) -> set[Trust]:
    """Return whose words a picture's are: those of who sends it, and of anybody, who may have drawn it."""
    return {trust_of(role), Trust.WEB}


def _followed(file: BinaryIO, stream: TextStream) -> tuple[Judgement, str]:
    """Return the judgement on a text, and the text; an alarm goes to standard error as soon as there is one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces: list[str] = []
    told = False
    while raw := cast(BufferedReader, file).read1(_READ):
        pieces.append(decoder.decode(raw))
        stream.feed(pieces[-1])
        if stream.alarm is not None and not told:
            told = True
            where = f" at {stream.alarm.span.start}" if stream.alarm.span else ""
            print(f"so far: {stream.alarm.rule}{where}: {stream.alarm.why}", file=sys.stderr, flush=True)
    pieces.append(decoder.decode(b"", final=True))
    stream.feed(pieces[-1])
    return stream.end(), "".join(pieces)


def _opened(path: Path | None) -> BinaryIO:
    if path is None:
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise BadArtifact(f"{path}: cannot be read: {error.strerror}; expected a text, a picture or *.jsonl") from error


def _print_lines(answers: Iterable[dict[str, Any]]) -> int:
    code = OK
    for answer in answers:
        if "error" in answer:
            code = CANNOT
        print(json.dumps(answer), flush=True)  # who asks line by line waits for each answer
    return code


def _print_one(answer: dict[str, Any], text: str, args: argparse.Namespace) -> int:
    code = FAILED if answer["verdict"] == "block" else OK
    if args.json:
        print(json.dumps(answer))
        return code
    print(f"{answer['verdict']:8} {answer['score']:.3f}  {answer['id']}")
    for finding in answer["findings"]:
        start, end = finding["span"] or (0, 0)
        quoted = visible(" ".join(text[start:end].split())[:100])
        print(f"    {finding['detector']} at {start}-{end}: {finding['reason']}\n        {quoted}")
    return code


COMMAND = Command("detect", "Say whether a text holds a prompt injection or a jailbreak.", _arguments, _run)
