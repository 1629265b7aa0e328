"""Writes protobuf messages for tests: inert graphs made of bytes."""


def varint(value):
    """Return a number in base 128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number, value):
    """Return one field: a number, a text, bytes or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def node(op, name="n", inputs=(), attributes=b""):
    """Return a TensorFlow NodeDef."""
    return field(1, name) + field(2, op) + b"".join(field(3, one) for one in inputs) + attributes


def attribute(key, value):
    """Return a NodeDef attribute; `value` is an AttrValue."""
    return field(5, field(1, key) + field(2, value))


def calls(function):
    """Return an attribute that names a function."""
    return attribute("f", field(10, field(1, function)))


def graph(*nodes, functions=()):
    """Return a GraphDef; `functions` are pairs of a name and nodes."""
    library = b"".join(
        field(1, field(1, field(1, name)) + b"".join(field(3, one) for one in body)) for name, body in functions
    )
    return b"".join(field(1, one) for one in nodes) + (field(2, library) if functions else b"")


def saved(graph_def, saver="saver_filename:0", asset=None):
    """Return a SavedModel."""
    meta = field(2, graph_def) + field(3, field(1, saver)) + (field(6, field(2, asset)) if asset else b"")
    return field(1, 1) + field(2, meta)


def ordinary():
    """Return the saver of every exported model: saving and restoring under the name that the saver gives."""
    save = (node("StringJoin", "join", ["file_prefix"]), node("ShardedFilename", "shard", ["join:output:0"]),
            node("SaveV2", "save", ["shard:filename:0"]))  # fmt: skip
    restore = (node("RestoreV2", "restore", ["file_prefix"]),)
    return graph(
        node("Placeholder", "saver_filename"),
        node("Placeholder", "serving_default_x"),
        node("StatefulPartitionedCall", "call", ["saver_filename"], calls("__inference__traced_save_1")),
        node("StatefulPartitionedCall", "call_1", ["saver_filename"], calls("__inference__traced_restore_1")),
        node("StatefulPartitionedCall", "serve", ["serving_default_x"], calls("__inference_serve_1")),
        functions=(
            ("__inference__traced_save_1", save),
            ("__inference__traced_restore_1", restore),
            ("__inference_serve_1", (node("MatMul", "m", ["x", "w"]), node("Relu", "r", ["m"]))),
        ),
    )


def onnx_model(*nodes, location=None, extra=b""):
    """Return an ONNX ModelProto, with one tensor outside of the file if `location` is given."""
    tensor = field(5, field(13, field(1, "location") + field(2, location))) if location is not None else b""
    body = b"".join(field(1, one) for one in nodes) + field(2, "g") + tensor
    return field(1, 8) + field(7, body) + field(8, field(1, "") + field(2, 17)) + extra


def onnx_node(operator, domain="", attributes=b""):
    """Return an ONNX NodeProto."""
    return field(4, operator) + field(7, domain) + attributes
