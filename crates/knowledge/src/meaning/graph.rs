use super::protobuf::Message;
use super::safetensors::Safetensors;
use std::io;

/// The network of `all-MiniLM-L6-v2` as an ONNX model: BERT (<https://arxiv.org/abs/1810.04805>) with six layers, and the
/// mean over a text's pieces. The package carries the weights alone, so its shape is written down here; the weights stay
/// in their file, to which the model points.
///
/// Inputs are `ids` and `positions`, both `[n]`; the output is `mean`, `[384]`. One text at a time: then nothing needs to
/// be padded or masked, and the products of a passage are large enough.
pub(super) fn model(weights: &Safetensors, file: &str) -> io::Result<Vec<u8>> {
    let mut graph = Graph { weights, file, nodes: Vec::new(), initializers: Vec::new(), made: 0 };
    let mut text = graph.embedded()?;
    for layer in 0..LAYERS {
        text = graph.layer(&format!("encoder.layer.{layer}"), text)?;
    }
    let axis = graph.integers("axis", &[0]);
    let node = Node::new("ReduceMean", &[&text, &axis]).integer("keepdims", 0);
    graph.nodes.push(node.finish("mean"));
    Ok(graph.finish())
}

/// Numbers of a piece.
pub(super) const WIDTH: u64 = 384;

/// Pieces that it has learnt.
pub(super) const VOCABULARY: u64 = 30_522;

const LAYERS: u32 = 6;
const HEADS: i64 = 12;
const POSITIONS: u64 = 512;
const INNER: u64 = 1_536;
const EPSILON: f32 = 1e-12;

/// A model being written: `ModelProto` and what it consists of in
/// <https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto>.
struct Graph<'w> {
    weights: &'w Safetensors,
    file: &'w str,
    nodes: Vec<Message>,
    initializers: Vec<Message>,
    /// Results so far, for their names.
    made: u32,
}

impl Graph<'_> {
    fn embedded(&mut self) -> io::Result<String> {
        let words = self.weight("embeddings.word_embeddings.weight", &[VOCABULARY, WIDTH])?;
        let positions = self.weight("embeddings.position_embeddings.weight", &[POSITIONS, WIDTH])?;
        let kinds = self.weight("embeddings.token_type_embeddings.weight", &[2, WIDTH])?;
        let first = self.integers("first", &[0]);
        let words = self.node(Node::new("Gather", &[&words, "ids"]));
        let positions = self.node(Node::new("Gather", &[&positions, "positions"]));
        let kinds = self.node(Node::new("Gather", &[&kinds, &first]));
        let placed = self.node(Node::new("Add", &[&words, &positions]));
        let sum = self.node(Node::new("Add", &[&placed, &kinds]));
        self.normal("embeddings.LayerNorm", &sum)
    }

    fn layer(&mut self, name: &str, text: String) -> io::Result<String> {
        let attended = self.attention(&format!("{name}.attention.self"), &text)?;
        let attended = self.linear(&format!("{name}.attention.output.dense"), &attended, WIDTH, WIDTH)?;
        let sum = self.node(Node::new("Add", &[&attended, &text]));
        let text = self.normal(&format!("{name}.attention.output.LayerNorm"), &sum)?;
        let inner = self.linear(&format!("{name}.intermediate.dense"), &text, WIDTH, INNER)?;
        let inner = self.node(Node::new("Gelu", &[&inner]));
        let outer = self.linear(&format!("{name}.output.dense"), &inner, INNER, WIDTH)?;
        let sum = self.node(Node::new("Add", &[&outer, &text]));
        self.normal(&format!("{name}.output.LayerNorm"), &sum)
    }

    /// softmax(Q K' / sqrt(32)) V of each head.
    fn attention(&mut self, name: &str, text: &str) -> io::Result<String> {
        let [query, key, value] = ["query", "key", "value"].map(|part| format!("{name}.{part}"));
        let query = self.heads(&query, text, [1, 0, 2])?;
        let key = self.heads(&key, text, [1, 2, 0])?;
        let value = self.heads(&value, text, [1, 0, 2])?;
        let scale = self.scale();
        let products = self.node(Node::new("MatMul", &[&query, &key]));
        let scaled = self.node(Node::new("Mul", &[&products, &scale]));
        let attention = self.node(Node::new("Softmax", &[&scaled]).integer("axis", -1));
        let heads = self.node(Node::new("MatMul", &[&attention, &value]));
        let heads = self.node(Node::new("Transpose", &[&heads]).integers("perm", &[1, 0, 2]));
        let flat = self.integers("flat", &[-1, WIDTH as i64]);
        Ok(self.node(Node::new("Reshape", &[&heads, &flat])))
    }

    fn heads(&mut self, name: &str, text: &str, order: [i64; 3]) -> io::Result<String> {
        let whole = self.linear(name, text, WIDTH, WIDTH)?;
        let shape = self.integers("heads", &[-1, HEADS, WIDTH as i64 / HEADS]);
        let heads = self.node(Node::new("Reshape", &[&whole, &shape]));
        Ok(self.node(Node::new("Transpose", &[&heads]).integers("perm", &order)))
    }

    fn linear(&mut self, name: &str, text: &str, from: u64, to: u64) -> io::Result<String> {
        let weight = self.weight(&format!("{name}.weight"), &[to, from])?;
        let bias = self.weight(&format!("{name}.bias"), &[to])?;
        Ok(self.node(Node::new("Gemm", &[text, &weight, &bias]).integer("transB", 1)))
    }

    fn normal(&mut self, name: &str, text: &str) -> io::Result<String> {
        let weight = self.weight(&format!("{name}.weight"), &[WIDTH])?;
        let bias = self.weight(&format!("{name}.bias"), &[WIDTH])?;
        let node = Node::new("LayerNormalization", &[text, &weight, &bias]);
        Ok(self.node(node.integer("axis", -1).float("epsilon", EPSILON)))
    }

    fn node(&mut self, node: Node) -> String {
        self.made += 1;
        let output = format!("t{}", self.made);
        self.nodes.push(node.finish(&output));
        output
    }

    /// `TensorProto` with its data in the file.
    fn weight(&mut self, name: &str, shape: &[u64]) -> io::Result<String> {
        let place = self.weights.place(name, shape)?;
        let mut tensor = Message::default();
        for side in shape {
            tensor = tensor.number(1, *side);
        }
        tensor = tensor.number(2, FLOAT).text(8, name);
        let (offset, length) = (place.offset.to_string(), place.length.to_string());
        for (key, value) in [("location", self.file), ("offset", &offset), ("length", &length)] {
            tensor = tensor.message(13, &Message::default().text(1, key).text(2, value));
        }
        self.initializers.push(tensor.number(14, EXTERNAL));
        Ok(name.to_owned())
    }

    /// A constant vector; a new one each time.
    fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Some(values.len() as u64), INT64, &bytes)
    }

    fn scale(&mut self) -> String {
        let scale = 1.0 / ((WIDTH as f32) / HEADS as f32).sqrt();
        self.constant("scale", None, FLOAT, &scale.to_le_bytes())
    }

    fn constant(&mut self, name: &str, side: Option<u64>, kind: u64, bytes: &[u8]) -> String {
        self.made += 1;
        let name = format!("{name}{}", self.made);
        let mut tensor = Message::default();
        if let Some(side) = side {
            tensor = tensor.number(1, side);
        }
        self.initializers.push(tensor.number(2, kind).text(8, &name).bytes(9, bytes));
        name
    }

    fn finish(self) -> Vec<u8> {
        let mut graph = Message::default();
        for node in &self.nodes {
            graph = graph.message(1, node);
        }
        graph = graph.text(2, "sentence");
        for tensor in &self.initializers {
            graph = graph.message(5, tensor);
        }
        let count = || Message::default().text(2, "n");
        graph = graph.message(11, &value("ids", INT64, &count()));
        graph = graph.message(11, &value("positions", INT64, &count()));
        graph = graph.message(12, &value("mean", FLOAT, &Message::default().number(1, WIDTH)));
        let operators = Message::default().number(2, OPERATORS);
        Message::default().number(1, FORMAT).message(7, &graph).message(8, &operators).finish()
    }
}

/// `NodeProto`.
struct Node {
    message: Message,
    attributes: Vec<Message>,
    operator: &'static str,
}

impl Node {
    fn new(operator: &'static str, inputs: &[&str]) -> Self {
        let message = inputs.iter().fold(Message::default(), |message, input| message.text(1, input));
        Self { message, attributes: Vec::new(), operator }
    }

    fn integer(mut self, name: &str, value: i64) -> Self {
        // Negative numbers are written in two's complement.
        self.attributes.push(Message::default().text(1, name).number(3, value as u64).number(20, AN_INTEGER));
        self
    }

    fn integers(mut self, name: &str, values: &[i64]) -> Self {
        let attribute = Message::default().text(1, name);
        let all = values.iter().fold(attribute, |attribute, value| attribute.number(8, *value as u64));
        self.attributes.push(all.number(20, INTEGERS));
        self
    }

    fn float(mut self, name: &str, value: f32) -> Self {
        self.attributes.push(Message::default().text(1, name).float(2, value).number(20, A_FLOAT));
        self
    }

    fn finish(self, output: &str) -> Message {
        let message = self.message.text(2, output).text(4, self.operator);
        self.attributes.iter().fold(message, |message, attribute| message.message(5, attribute))
    }
}

/// `ValueInfoProto` of a vector.
fn value(name: &str, kind: u64, side: &Message) -> Message {
    let shape = Message::default().message(1, side);
    let tensor = Message::default().number(1, kind).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// `TensorProto.DataType`
const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// `TensorProto.DataLocation`
const EXTERNAL: u64 = 1;

/// `AttributeProto.AttributeType`
const A_FLOAT: u64 = 1;
const AN_INTEGER: u64 = 2;
const INTEGERS: u64 = 7;

/// The version of the format, and that of its operators: the first with `Gelu`.
const FORMAT: u64 = 9;
const OPERATORS: u64 = 20;
