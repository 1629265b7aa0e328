"""Published ways past pickle scanners, each rebuilt as an inert file of our own and stopped with the reason.

Named after their advisories, or after the gadget; the calls they hold are harmless words, and nothing is unpickled.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pytest

from bartizan.lab.hostile_artefacts import SHAPES
from bartizan.lab.published_bypasses import ADVISORIES
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

REDUCE = SHAPES[0][1]


def calls_of(module, name):
    """Return a pickle for each way to call a global."""
    return [(shape, make(module, name, "x")) for shape, make in SHAPES[:8]]


def stopped(data, name="m.pkl"):
    """Return the result, which must be BLOCK or UNREADABLE."""
    result = scan_bytes(memoryview(data), name, Budget())
    assert result.verdict in (Verdict.BLOCK, Verdict.UNREADABLE), result
    return result


@pytest.mark.parametrize(("advisory", "module", "name"), ADVISORIES, ids=[one[0] for one in ADVISORIES])
def test_callables_that_a_published_bypass_names(advisory, module, name):
    """Default deny blocks and names the gadget, in every way to call it, also as the state of something allowed."""
    for shape, data in calls_of(module, name):
        result = stopped(data)
        assert result.verdict is Verdict.BLOCK, (advisory, shape)
        assert f"{module}.{name}" in result.globals
    inner = REDUCE(module, name, "x")[2:-1]
    stopped(b"\x80\x02ccollections\nOrderedDict\n)R" + inner + b"b.")


def packed(members, flags=0):
    """Return a zip of members; `flags` is set in both headers of the first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    raw = bytearray(buffer.getvalue())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.find(magic) + at] |= flags
    return raw


EVIL = REDUCE("posix", "system", "true")


def test_ghsa_769v_p64c_89pr_cve_2025_1889_a_pickle_with_another_ending():
    """The scanner looked for .pkl only; torch.load is told the name by code."""
    stopped(packed({"a/data.pkl": b"\x80\x02N.", "a/config.p": EVIL}), "m.pt")


def test_ghsa_7q5r_7gvp_wc82_cve_2025_1944_another_name_in_the_local_header():
    """zipfile refuses such an archive, torch loads it."""
    raw = packed({"a/data.pkl": EVIL})
    raw[30] ^= 1
    stopped(bytes(raw), "m.pt")


def test_ghsa_w8jq_xcqf_f792_cve_2025_1945_flag_bits():
    """An encrypted flag makes scanners give up and torch not care."""
    stopped(bytes(packed({"a/data.pkl": EVIL}, flags=1)), "m.pt")


def test_ghsa_f7qq_56ww_84cr_cve_2025_10156_a_wrong_checksum():
    """zipfile raises, torch does not check."""
    raw = packed({"a/data.pkl": EVIL})
    raw[raw.find(b"PK\x01\x02") + 16] ^= 0xFF
    raw[14] ^= 0xFF
    stopped(bytes(raw), "m.pt")


def test_ghsa_jgw4_cr84_mqxg_cve_2025_10155_a_pickle_called_bin():
    """The ending chose the wrong scanner."""
    stopped(EVIL, "pytorch_model.bin")


def test_nullifai_7z_and_a_broken_stream():
    """7z instead of zip, and a payload before the stream breaks: what ran before the break has run."""
    stopped(b"7z\xbc\xaf\x27\x1c" + bytes(64), "m.pt")
    assert "posix.system" in stopped(EVIL[:-1] + b"\xff\xff").globals


def test_ghsa_mxhj_88fx_4pcv_obj_and_pop_hide_a_call():
    """A call whose result is popped vanished from the decompiled tree; it ran all the same."""
    assert "posix.system" in stopped(b"(cposix\nsystem\nS'true'\no0N.").globals


def test_cpython_154848_an_opcode_across_a_frame():
    """The two unpicklers of CPython read it differently."""
    body = b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
    stopped(b"\x80\x04\x95" + struct.pack("<Q", 3) + body)


def test_shadowpickle_an_allowed_name_with_other_arguments():
    """OrderedDict takes pairs, defaultdict no factory that acts (arXiv 2607.17503)."""
    stopped(b"\x80\x02ccollections\ndefaultdict\ncposix\nsystem\n\x85R.")
    stopped(b"\x80\x02ccollections\nOrderedDict\ncposix\nsystem\n\x85R.")


def test_hide_and_seek_exceptions_after_the_call():
    """Errors after the payload made scanners drop what they had seen (arXiv 2508.19774)."""
    for tail in (b"0000", b"\x94h\xff.", b"(", b"\x95\xff\xff\xff\xff\xff\xff\xff\xff.", b"\x80\x09."):
        assert "posix.system" in stopped(EVIL[:-1] + tail).globals


def test_memo_confusion():
    """A memo that is written twice holds the later value (picklescan #14, #22)."""
    text = b"X\x05\x00\x00\x00posixq\x01X\x06\x00\x00\x00systemq\x02"
    swapped = b"\x80\x04X\x04\x00\x00\x00mathq\x01" + text + b"0000h\x01h\x02\x93."
    result = scan_bytes(memoryview(swapped), "m.pkl", Budget())
    assert result.verdict in (Verdict.BLOCK, Verdict.UNREADABLE)


def test_ghsa_9gvj_pp9x_gcfr_names_as_quoted_strings():
    """STACK_GLOBAL takes what STRING pushed, and the scanner looked for other opcodes."""
    assert "os.system" in stopped(b"S'os'\nS'system'\n\x93S'true'\n\x85R.").globals


def test_picklescan_a_memo_that_is_not_there():
    """The scanner's KeyError ended its scan; the call had been made before it."""
    stopped(b"\x80\x04cos\nsystem\nVtrue\n\x85R0\x8c\x02os\x94h\x03h\x00\x93K\x42.")


def test_picklescan_a_number_where_a_name_is_expected():
    """Type confusion in STACK_GLOBAL."""
    stopped(b"\x80\x04cos\nsystem\nVtrue\n\x85R0J\x2a\x00\x00\x00\x94\x8c\x02os\x94h\x00h\x01\x93K\x42.")
    stopped(b"\x80\x04K\x2a\x94\x8c\x02os\x94h\x00h\x01\x93.")


def test_picklescan_sys_modules_overridden():
    """A module's entry is replaced first, so that a harmless name means something else."""
    stopped(b"csys\nmodules\nS'math'\ncos\nsystem\ns0cmath\nsqrt\n(S'true'\ntR.")


def test_picklescan_a_torch_magic_number_before_the_pickle():
    """The first stream only says what the file is; the scanner stopped when it was not the usual one."""
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    assert "posix.system" in stopped(magic + EVIL, "m.pt").globals
    assert "posix.system" in stopped(b"\x80\x02K\x01." + EVIL, "m.pt").globals
    protocol = b"\x80\x02M\xe9\x03."
    assert "posix.system" in stopped(magic + protocol + b"\x80\x02}." + EVIL + b"\x80\x02].", "m.pt").globals


def test_ghsa_mhc9_48gj_9gp3_a_build_after_the_call():
    """BUILD on the result made the call look used, and its state was not looked at."""
    assert "smtplib.SMTP" in stopped(b"\x80\x04csmtplib\nSMTP\nVx\n\x85R}b.").globals


def test_modelscan_330_attributes_of_an_allowed_function_are_replaced():
    """numpy.size gets builtins as its `shape`, and then gives eval away."""
    body = (
        b"cnumpy\nsize\nq\x010cnumpy\n__builtins__\nq\x030h\x01}}X\x05\x00\x00\x00shapeh\x03s\x86b"
        b"h\x01h\x01X\x04\x00\x00\x00eval\x86RX\x04\x00\x00\x00pass\x85R."
    )
    assert "numpy.__builtins__" in stopped(b"\x80\x04" + body).globals


def test_fickling_322_opcodes_that_a_scanner_does_not_know():
    """FLOAT, BYTEARRAY8, NEXT_BUFFER and READONLY_BUFFER: what follows them is read all the same."""
    for odd in (b"F1.0\n", b"\x96\x01\x00\x00\x00\x00\x00\x00\x00x", b"\x97", b"\x97\x98"):
        assert "posix.system" in stopped(b"\x80\x05" + odd + b"0" + EVIL[2:]).globals


def test_cve_2025_32434_a_tar_that_the_restricted_loader_loaded_in_full():
    """torch.load(weights_only=True) took the old tar form on another road."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in (("storages", b"\x80\x02K\x00."), ("pickle", EVIL)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert "posix.system" in stopped(buffer.getvalue(), "m.pt").globals
    oldest = bytearray(buffer.getvalue())
    for start in (0, 1024):  # the form without a mark, which tarfile reads as well
        oldest[start + 257 : start + 512] = bytes(255)
        oldest[start + 148 : start + 156] = b" " * 8
        oldest[start + 148 : start + 156] = b"%06o\0 " % sum(oldest[start : start + 512])
    assert "posix.system" in stopped(bytes(oldest), "m.pt").globals


def test_modelscan_endings_in_capitals_and_no_ending_at_all():
    """A file whose ending the scanner did not know was skipped, and skipped was passed."""
    for name in ("MODEL.PKL", "model", "weights.dat", "a.safetensors", "m.onnx"):
        stopped(EVIL, name)


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zlib.compress], ids=lambda one: one.__module__
)
def test_compressed_and_nested_pickles_that_scanners_do_not_open(pack):
    """One, two and three layers; a zip inside a zip."""
    data = EVIL
    for _ in range(3):
        data = pack(data)
        assert "posix.system" in stopped(data, "m.joblib").globals
    assert "posix.system" in stopped(packed({"inner.zip": bytes(packed({"x": EVIL}))}), "m.zip").globals


def test_a_pickle_inside_the_bytes_of_a_pickle():
    """`pickle.loads` of somebody's own code would run it; both levels are named."""
    stopped(b"\x80\x04C" + bytes([len(EVIL)]) + EVIL + b".")
    twice = b"\x80\x04C" + bytes([len(EVIL)]) + EVIL + b"."
    stopped(b"\x80\x04C" + bytes([len(twice)]) + twice + b".")


def test_fickling_global_laughs_a_bomb_of_references():
    """Each level holds the one before ten times: the scanner itself hung on it."""
    body = b"]q\x00"
    for level in range(1, 60):
        body += b"(" + b"h" + bytes([level - 1]) + (b"h" + bytes([level - 1])) * 9 + b"lq" + bytes([level])
    result = scan_bytes(memoryview(b"\x80\x02" + body + b"."), "m.pkl", Budget())
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].rule == "pickle-expansion"
