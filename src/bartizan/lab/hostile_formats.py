"""Hostile and honest models in formats that are not pickles, made of bytes here: graphs, configurations, descriptions.

Each hostile sample would make its reader run code, open a file or call a library that nobody approved, and none has an
effect of its own: commands are `true`, paths lead to files that every machine has, and nothing here is ever loaded.
"""

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator

from bartizan.lab.hostile_artefacts import Sample

# Made by h5py 3.16: a Keras model of one layer, the same with a Lambda, a link and data in another file, and a view of
# one; each compressed, for most of such a file is zero.
_HDF5 = {
    "dense": (
        "c-rll!AiqG5Qb-yMnbWeg3#8BAtw(W^xBhRt2u}j>p>8yp{{K(P0_SeDZy)f6OTTIM<2yEs7ZFW%?1QfLDBgjOm=oQ6Ow;6WFG9=ZXv&thZtRl92k"
        "&h$}voNEauO-CEQN9eN=>BP3FqnZ}97zDjRpX|M;k0kE5p<L>_yASsjr7h+W@4jO_^@3q3t6a$K)}LA}<9x}EMINa=FxlX;6=uUTC$g3a|^faOS)"
        "EN{E-U%H*xUm=jJG-mgpOLan1VkXH!q&g9KpLm_TXdkN+qk?sUbuzCLv75hYa@<vQL(-%D#k|dfMlDvb(A`9pzYAF%Bfo>aoyI;%2}RnUBF0wRb"
        "Aq7dJ3VSuO{+<-htwaqj%Tf#7TfP4|Jd@JJ9-mDr>EH^HR=a66Fv0ZK^(jphG$`zx}V!6d?yHkAP9mW2!bF8^4$>7*groJ<27a#<`C`G_pA!#WNF"
        "b{g<Rq>p`=6Up3iHbC-aKJE~xVkr%IwgNHrej9e^Kw9@#$DtRaga2!bGgm^UI&c6k"
    ),
    "lambda": (
        "c-rll!AiqG5Qb-yMnbWeg3#8BAtw(W^xBhRt2q=a)`K8YW1F_YG)2==r3A0_O+5M-9(@$wpeEVfHX9H`1x4qBFxlDJOi2FOka;jG`?>5|79vy?GN"
        "3_{8AH>>F`vI+mM}YI_EF+~Ii4#rzs9bw%XHjh{*&WsHHx04;Caj?YE?k~BW88?D6*$)%=PpviE;fw+jg5{+v)a(enOW!pUj(QdQIzk8BC_{9IS?"
        "_q<LEduj6zhe~Cc6Qk&m{D%43QA!ZUEM5q&<_lecXi}JBL(Mnh+SSO1*;k)^(BF0^nw*)<!U(DM$tXCohbKOm4@w<@LG4eY&*sIq_LMX!i6f!Ydu"
        "I2kp&+6MoSvMN?^~m;yj^!Ggx<U85&_6L;>(0LM!_%|$lA6`OY+I@Dk>?Df=<Ogl4}!)0+^*m|K@bE%5ClOG1VNDRhJZr<`3WCyP%BXfZ?C>*Whl"
        "l=^ZGhuVvi056$<xkUI8_pmn3>Ym325}5(Yw|@v!Is{OI#Y_p#;;Sp-241o^|f0pYuL%>"
    ),
    "link": (
        "c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvf3Yby(F!=;1%?PDCp!5nRm^ceqP68?}05x9$YF+?TJS51~71?}rdq%;?1|F`C;G_}(<#Ryk6HKV;VCgV`O7="
        "3rQ!e(D$pv%?Ba(VHsCq^Y2gXETQrAx{N!Bk&EG{ljVbHH&U;qGFDm~-"
    ),
    "data": (
        "c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvfHn5`dVe$!3nh{EOK<O1sFmXn(oCH){5NbZUx{x4OSCH!eXaHtU1`CAdU>F4>5qP*d27u@YC?A$ePcWgXOF"
        ">JI9u(Tk$iN0MixI|$q+~`$hyWK<9gJoMx{ML(K1QSz%L=4Hd?qF)urND=2AIzX%_9al(l^Xp4ye7%jIf-+g{CrruJIs&7R~`IsOt1nOOo|7@{3F"
        "I5_405{9r$S7mz<;{!?HcP1EE60JKCqQU"
    ),
    "view": (
        "c-rgqaB<`1lHy|K;9!7(|4_gn0pS}!#T`34+5J6Sf|wX8n1qlO!T=W&10w?i8xI4JVl3MXGtYy8YM`w|?GD%piYgPhvym|aBclid0}~@7BNtRHjA"
        "rIxU=&~gxd{X~7+8U>Waj4JV_;xmW`Oz{EVqYYNP{Db>L)Oaf>AIEM!_f;1;hY%XMZ1X<tKnt5dwidOaV+lKeZ%Tzd|p=lp%$I8A%)jm_W5GNQ{X"
        "Qs)rF+`+j1Z_aClg0sm-NkAhJ!3P!;w7zLwX6pVsVFbYP&C>R9;1pso$GEV"
    ),
}


def hdf5_sample(name: str) -> bytes:
    """Return one of the small HDF5 files: `dense`, `lambda`, `link`, `data` or `view`."""
    return zlib.decompress(base64.b85decode(_HDF5[name]))


def varint(value: int) -> bytes:
    """Return a number in base 128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def _node(op: str, name: str = "n", inputs: tuple[str, ...] = ()) -> bytes:
    return field(1, field(1, name) + field(2, op) + b"".join(field(3, one) for one in inputs))


def _saved_model(*nodes: bytes) -> bytes:
    return field(1, 1) + field(2, field(2, b"".join(nodes)) + field(3, field(1, "saver_filename:0")))


def _onnx(location: str = "", domain: str = "") -> bytes:
    external = field(13, field(1, "location") + field(2, location)) if location else b""
    tensor = field(1, 2) + field(2, 1) + field(8, "w") + external
    node = field(1, "x") + field(2, "y") + field(4, "Relu") + field(7, domain)
    return field(1, 8) + field(7, field(1, node) + field(5, tensor)) + field(8, field(2, 17))


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_dot_", ".")), data)
    return buffer.getvalue()


def _keras(**layer: object) -> bytes:
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": [layer]}}
    return _zip(config_dot_json=json.dumps(config).encode(), model_dot_weights_dot_h5=hdf5_sample("dense"))


def _skops(loader: str, module: str, name: str) -> bytes:
    inner = {"__loader__": loader, "__module__": module, "__class__": name}
    state = {"__loader__": "DictNode", "__module__": "builtins", "__class__": "dict", "content": {"a": inner}}
    model = {"__loader__": "ObjectNode", "__module__": "sklearn.linear_model._base", "__class__": "LinearRegression"}
    return _zip(schema_dot_json=json.dumps({**model, "content": state, "protocol": 2}).encode())


def _script(line: str) -> bytes:
    code = f"class M(Module):\n  training : bool\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n    {line}\n"
    types = b"\x80\x02c__torch__\nM\n)\x81}X\x08\x00\x00\x00trainingI00\nsb."
    return _zip(
        m__data_dot_pkl=types,
        m__code__types_dot_py=code.encode(),
        m__version=b"3\n",
        m__constants_dot_pkl=b"\x80\x02).",
    )


def _pmml(inside: str = "", before: str = "") -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    body = '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary>'
    fields = '<DataField name="x" optype="continuous" dataType="double"/></DataDictionary>'
    model = '<RegressionModel functionName="regression"><RegressionTable intercept="1"/></RegressionModel></PMML>\n'
    return (head + before + body + fields + inside + model).encode()


def _coreml(kind: int, model: bytes) -> bytes:
    return field(1, 7) + field(2, field(100, field(1, "a model"))) + field(kind, model)


def _coreml_program(place: str) -> bytes:
    value = field(2, field(1, field(1, 11))) + field(5, field(1, place) + field(2, 64))
    operation = field(1, "const") + field(5, field(1, "val") + field(2, value))
    block = field(3, operation)
    function = field(2, "CoreML6") + field(3, field(1, "CoreML6") + field(2, block))
    return _coreml(502, field(1, 1) + field(2, field(1, "main") + field(2, function)))


def tflite_sample(code: int = 0, custom: str = "", tensor: int = 0, opcode: int = 0) -> bytes:
    """Return a TensorFlow Lite model of one operator on one tensor."""
    out = bytearray(b"\x00\x00\x00\x00TFL3")

    def place(data: bytes) -> int:
        while len(out) % 4:
            out.append(0)
        out.extend(data)
        return len(out) - len(data)

    def table(**fields: int) -> int:
        """Write a table of offsets (`t…`) and numbers (`n…`) with the field's number behind the letter."""
        last = max((int(name[1:]) for name in fields), default=-1)
        slots = [0] * (last + 1)
        body = b""
        for name, value in fields.items():
            slots[int(name[1:])] = 4 + len(body)
            body += struct.pack("<i", value)
        entries = place(struct.pack(f"<HH{last + 1}H", 4 + 2 * (last + 1), 4 + len(body), *slots))
        start = place(bytes(4) + body)
        struct.pack_into("<i", out, start, start - entries)
        for name, value in fields.items():
            if name[0] == "t":
                at = start + slots[int(name[1:])]
                struct.pack_into("<i", out, at, value - at)
        return start

    # A reader wants positive offsets: what is pointed to must lie behind, so children are written again behind parents.
    def vector(*items: int) -> int:
        return place(struct.pack(f"<I{len(items)}i", len(items), *items))

    def point(at: int, target: int) -> None:
        struct.pack_into("<i", out, at, target - at)

    root = table(n0=3, t1=0, t2=0, t4=0)
    struct.pack_into("<I", out, 0, root)
    codes, graphs, buffers = vector(0), vector(0), vector(0)
    for at, target in ((root + 8, codes), (root + 12, graphs), (root + 16, buffers)):
        point(at, target)
    operator_code = table(n0=code, t1=0, n2=1, n3=code)
    point(operator_code + 8, place(struct.pack("<I", len(custom)) + custom.encode() + b"\0"))
    point(codes + 4, operator_code)
    point(buffers + 4, table())
    graph = table(t0=0, t3=0)
    point(graphs + 4, graph)
    tensors, operators = vector(0), vector(0)
    point(graph + 4, tensors)
    point(graph + 8, operators)
    point(tensors + 4, table(n2=0))
    operator = table(n0=opcode, t1=0)
    point(operators + 4, operator)
    point(operator + 8, vector(tensor))
    return bytes(out)


def hostile_formats() -> Iterator[Sample]:
    """Yield one sample for each way that a reader of the format could be made to act."""
    code = {"class_name": "Lambda", "module": "keras.layers", "config": {"function": "4wEA"}}
    made = {
        "tensorflow-reads.pb": _saved_model(_node("ReadFile")),
        "tensorflow-writes.pb": _saved_model(_node("Const", "path"), _node("SaveV2", "s", ("path",))),
        "tensorflow-python.pb": _saved_model(_node("PyFunc")),
        "onnx-outside.onnx": _onnx("../../etc/hostname"),
        "onnx-absolute.onnx": _onnx("/etc/hostname"),
        "keras-lambda.keras": _keras(**code),
        "keras-import.keras": _keras(class_name="system", module="os", config={"command": "true"}),
        "keras-vocabulary.keras": _keras(
            class_name="StringLookup", module="keras.layers", config={"vocabulary": "/etc/hostname"}
        ),
        "keras-saved-model.keras": _keras(class_name="TFSMLayer", module="keras.layers", config={"filepath": "x"}),
        "hdf5-lambda.h5": hdf5_sample("lambda"),
        "hdf5-link.h5": hdf5_sample("link"),
        "hdf5-data.h5": hdf5_sample("data"),
        "hdf5-view.h5": hdf5_sample("view"),
        "skops-name.skops": _skops("ObjectNode", "subprocess", "Popen"),
        "skops-method.skops": _skops("MethodNode", "sklearn.linear_model._base", "LinearRegression"),
        "skops-operator.skops": _skops("OperatorFuncNode", "operator", "call"),
        "script-save.pt": _script('torch.save(x, "/dev/null")'),
        "script-file.pt": _script('_0 = torch.from_file("/etc/hostname", False, 1)'),
        "script-remote.pt": _script('_0 = ops.rpc.rpc_sync("worker", "f")'),
        "pmml-entity.pmml": _pmml(before='<!DOCTYPE PMML [<!ENTITY a "b">]>\n'),
        "pmml-file.pmml": _pmml(before='<!DOCTYPE PMML SYSTEM "file:///etc/hostname">\n'),
        "pmml-include.pmml": _pmml('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname"/>'),
        "coreml-linked.mlmodel": _coreml(556, field(1, "x")),
        "coreml-outside.mlmodel": _coreml_program("@model_path/../../etc/hostname"),
        "tflite-reads.tflite": tflite_sample(32, "FlexReadFile"),
        "tflite-tensor.tflite": tflite_sample(tensor=7),
        "tflite-operator.tflite": tflite_sample(opcode=9),
    }
    yield from (Sample(name, data, True) for name, data in made.items())


def honest_formats() -> Iterator[Sample]:
    """Yield an ordinary model of each format."""
    dense = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 1}}
    made = {
        "tensorflow.pb": _saved_model(_node("Placeholder", "x"), _node("Relu", "y", ("x",))),
        "model.onnx": _onnx(),
        "external.onnx": _onnx("weights.bin"),
        "model.keras": _keras(**dense),
        "model.h5": hdf5_sample("dense"),
        "model.skops": _skops("FunctionNode", "numpy", "log1p"),
        "script.pt": _script("return torch.relu(x)"),
        "model.pmml": _pmml('<TransformationDictionary><DerivedField name="y"/></TransformationDictionary>'),
        "network.mlmodel": _coreml(500, field(1, field(1, "conv") + field(100, b""))),
        "program.mlmodel": _coreml_program("@model_path/weights/weight.bin"),
        "model.tflite": tflite_sample(),
        "flex.tflite": tflite_sample(32, "FlexErf"),
    }
    yield from (Sample(name, data, False) for name, data in made.items())
