//! What of an ONNX file the kernel needs: the constants of the two branches, one a rate, that one `If` chooses from.
//!
//! Field numbers are those of <https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto>.

use crate::ModelError;
use crate::protobuf::{Message, Value};

/// A constant of a branch, its numbers still bytes.
#[derive(Clone, Debug)]
pub(crate) struct Tensor<'a> {
    pub dims: Vec<i64>,
    /// `None`: of another type, or not as raw bytes.
    pub raw: Option<&'a [u8]>,
}

/// The constants of one branch.
#[derive(Clone, Debug)]
pub(crate) struct Branch<'a> {
    constants: Vec<(&'a [u8], Message<'a>)>,
}

const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATION: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_GRAPH: u64 = 6;
const TENSOR_DIMS: u64 = 1;
const TENSOR_TYPE: u64 = 2;
const TENSOR_RAW: u64 = 9;
const TYPE_FLOAT: u64 = 1;

const MOST_DIMS: usize = 8;

/// The branches of every `If` of the model's own graph.
pub(crate) fn branches(model: &[u8]) -> Result<Vec<Branch<'_>>, ModelError> {
    let mut branches = Vec::new();
    for graph in Message::of_file(model).all(MODEL_GRAPH) {
        for node in nodes(graph?, b"If") {
            for attribute in node?.all(NODE_ATTRIBUTE) {
                if let Some(graph) = attribute?.first(ATTRIBUTE_GRAPH)? {
                    branches.push(Branch::of(graph)?);
                }
            }
        }
    }
    Ok(branches)
}

/// The nodes of a graph that do this.
fn nodes<'a>(
    graph: Message<'a>,
    operation: &'static [u8],
) -> impl Iterator<Item = Result<Message<'a>, ModelError>> {
    graph.all(GRAPH_NODE).filter(move |node| match node {
        Ok(node) => match node.first(NODE_OPERATION) {
            Ok(found) => found.is_some_and(|found| found.bytes() == operation),
            // Kept, so that reading it tells the mistake.
            Err(_) => true,
        },
        Err(_) => true,
    })
}

impl<'a> Branch<'a> {
    fn of(graph: Message<'a>) -> Result<Self, ModelError> {
        let mut constants = Vec::new();
        for node in nodes(graph, b"Constant") {
            let node = node?;
            let (Some(name), Some(attribute)) = (node.first(NODE_OUTPUT)?, node.first(NODE_ATTRIBUTE)?)
            else {
                continue;
            };
            if let Some(tensor) = attribute.first(ATTRIBUTE_TENSOR)? {
                constants.push((name.bytes(), tensor));
            }
        }
        Ok(Self { constants })
    }

    /// The constant whose name ends like this: exporters put prefixes before it.
    pub fn find(&self, name: &str) -> Result<Option<Tensor<'a>>, ModelError> {
        let found = self.constants.iter().find(|(whole, _)| whole.ends_with(name.as_bytes()));
        found.map(|&(_, message)| Tensor::of(message)).transpose()
    }
}

impl<'a> Tensor<'a> {
    fn of(message: Message<'a>) -> Result<Self, ModelError> {
        let (mut dims, mut raw, mut is_float) = (Vec::new(), None, false);
        for field in message.fields() {
            let field = field?;
            match (field.number, field.value) {
                (TENSOR_DIMS, Value::Varint(dim)) => push(&mut dims, dim, message)?,
                (TENSOR_DIMS, Value::Bytes(packed)) => {
                    for dim in packed.varints() {
                        push(&mut dims, dim?, packed)?;
                    }
                }
                (TENSOR_TYPE, Value::Varint(kind)) => is_float = kind == TYPE_FLOAT,
                (TENSOR_RAW, Value::Bytes(bytes)) => raw = Some(bytes.bytes()),
                _ => {}
            }
        }
        Ok(Self { dims, raw: raw.filter(|_| is_float) })
    }
}

/// A tensor of more dimensions than any of the network's is none of it, and its error would be as long as the file.
fn push(dims: &mut Vec<i64>, dim: u64, place: Message<'_>) -> Result<(), ModelError> {
    if dims.len() == MOST_DIMS {
        return Err(place.mistake("a tensor of too many dimensions"));
    }
    dims.push(dim.cast_signed());
    Ok(())
}
