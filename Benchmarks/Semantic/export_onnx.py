"""Writes a BERT encoder's folder as an ONNX graph, for measuring ONNX Runtime on the same weights.

usage: export_onnx.py MODEL_FOLDER OUT.onnx

The graph ends with the mean over tokens and the division by the length, as the encoder's own work does.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


class Graph:
    def __init__(self):
        self.nodes = []
        self.constants = []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind, inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def build(folder):
    config = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "model.safetensors")
    width, heads = config["hidden_size"], config["num_attention_heads"]
    epsilon = config["layer_norm_eps"]
    graph = Graph()

    def dense(x, name):
        matrix = graph.constant(name + ".w", weights[name + ".weight"].T)
        return graph.node(
            "Add", [graph.node("MatMul", [x, matrix]), graph.constant(name + ".b", weights[name + ".bias"])]
        )

    def normalize(x, name):
        scale = graph.constant(name + ".w", weights[name + ".weight"])
        shift = graph.constant(name + ".b", weights[name + ".bias"])
        return graph.node("LayerNormalization", [x, scale, shift], axis=-1, epsilon=epsilon)

    def split(x, order):
        shaped = graph.node("Reshape", [x, heads_shape])
        return graph.node("Transpose", [shaped], perm=order)

    heads_shape = graph.constant("heads", np.array([0, 0, heads, width // heads], dtype=np.int64))
    flat_shape = graph.constant("flat", np.array([0, 0, width], dtype=np.int64))
    scale = graph.constant("scale", np.array((width // heads) ** -0.5, dtype=np.float32))
    words = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    types = weights["embeddings.token_type_embeddings.weight"][0]
    positions = graph.constant("positions", weights["embeddings.position_embeddings.weight"] + types)
    length = graph.node("Gather", [graph.node("Shape", ["ids"]), graph.constant("one", np.array([1], np.int64))])
    zero = graph.constant("zero", np.array([0], dtype=np.int64))
    used = graph.node("Slice", [positions, zero, length, zero])
    x = graph.node("Add", [graph.node("Gather", [words, "ids"]), used])
    x = normalize(x, "embeddings.LayerNorm")
    for index in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{index}."
        query = split(dense(x, name + "attention.self.query"), [0, 2, 1, 3])
        key = split(dense(x, name + "attention.self.key"), [0, 2, 3, 1])
        value = split(dense(x, name + "attention.self.value"), [0, 2, 1, 3])
        scores = graph.node("Mul", [graph.node("MatMul", [query, key]), scale])
        mixed = graph.node("MatMul", [graph.node("Softmax", [scores], axis=-1), value])
        mixed = graph.node("Reshape", [graph.node("Transpose", [mixed], perm=[0, 2, 1, 3]), flat_shape])
        x = normalize(
            graph.node("Add", [dense(mixed, name + "attention.output.dense"), x]), name + "attention.output.LayerNorm"
        )
        inner = graph.node("Gelu", [dense(x, name + "intermediate.dense")])
        x = normalize(graph.node("Add", [dense(inner, name + "output.dense"), x]), name + "output.LayerNorm")
    mean = graph.node("ReduceMean", [x, graph.constant("tokens", np.array([1], np.int64))], keepdims=0)
    axis = graph.constant("axis", np.array([1], np.int64))
    norm = graph.node("ReduceL2", [mean, axis], keepdims=1)
    graph.nodes.append(helper.make_node("Div", [mean, norm], ["vector"]))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["texts", width])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    onnx.save(build(Path(sys.argv[1])), sys.argv[2])
