//! Decoding an ONNX file while large constants stay where they are: copying them takes longer than all else
//! at load.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use prost::{DecodeError, Message};
use tract_onnx::pb::{ModelProto, TensorProto};

/// Constants of fewer bytes are decoded with the rest.
const LARGE: usize = 4096;

/// Numbers of the fields on the way to the data of a constant, in the protocol buffers of ONNX.
const MODEL_GRAPH: u64 = 7;
const GRAPH_INITIALIZER: u64 = 5;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW_DATA: u64 = 9;

/// An ONNX file and where its large constants lie in it.
#[derive(Debug)]
pub(crate) struct File {
    bytes: Cow<'static, [u8]>,
    large: HashMap<String, Range<usize>>,
}

impl File {
    /// Decodes a file, large constants without their data.
    pub(crate) fn decode(bytes: Cow<'static, [u8]>) -> Result<(ModelProto, Self), DecodeError> {
        let mut large = HashMap::new();
        // What cannot be read here is left to the decoder, which says why.
        let proto = match model(&bytes, &mut large) {
            Some(small) => ModelProto::decode(&small[..])?,
            None => {
                large.clear();
                ModelProto::decode(&bytes[..])?
            }
        };
        Ok((proto, Self { bytes, large }))
    }

    /// The raw data of a constant.
    pub(super) fn raw<'a>(&'a self, tensor: &'a TensorProto) -> &'a [u8] {
        match self.large.get(&tensor.name) {
            Some(range) if tensor.raw_data.is_empty() => &self.bytes[range.clone()],
            _ => &tensor.raw_data,
        }
    }

    /// The same for as long as the program runs: not copied if the file is part of it.
    pub(super) fn keep(&self, tensor: &TensorProto) -> Cow<'static, [u8]> {
        match (&self.bytes, self.large.get(&tensor.name)) {
            (Cow::Borrowed(bytes), Some(range)) if tensor.raw_data.is_empty() => {
                Cow::Borrowed(&bytes[range.clone()])
            }
            _ => Cow::Owned(self.raw(tensor).to_vec()),
        }
    }

    /// Gives a constant its data back.
    pub(super) fn restore(&self, tensor: &mut TensorProto) {
        if self.large.contains_key(&tensor.name) && tensor.raw_data.is_empty() {
            tensor.raw_data = self.raw(tensor).to_vec();
        }
    }
}

/// One field of a message.
struct Field {
    number: u64,
    /// With the number.
    whole: Range<usize>,
    /// Without number and length, of a field that has a length.
    value: Option<Range<usize>>,
}

/// A model without the data of its large constants; `None` if it cannot be read.
fn model(bytes: &[u8], large: &mut HashMap<String, Range<usize>>) -> Option<Vec<u8>> {
    let mut small = Vec::new();
    for field in fields(bytes, 0..bytes.len())? {
        match field.value {
            Some(value) if field.number == MODEL_GRAPH => {
                nest(&mut small, MODEL_GRAPH, &graph(bytes, value, large)?)
            }
            _ => small.extend_from_slice(&bytes[field.whole]),
        }
    }
    Some(small)
}

fn graph(bytes: &[u8], within: Range<usize>, large: &mut HashMap<String, Range<usize>>) -> Option<Vec<u8>> {
    let mut small = Vec::new();
    for field in fields(bytes, within)? {
        match field.value {
            Some(value) if field.number == GRAPH_INITIALIZER && value.len() >= LARGE => {
                nest(&mut small, GRAPH_INITIALIZER, &tensor(bytes, value, large)?);
            }
            _ => small.extend_from_slice(&bytes[field.whole]),
        }
    }
    Some(small)
}

fn tensor(bytes: &[u8], within: Range<usize>, large: &mut HashMap<String, Range<usize>>) -> Option<Vec<u8>> {
    let (mut small, mut name, mut data) = (Vec::new(), None, None);
    for field in fields(bytes, within)? {
        if field.number == TENSOR_RAW_DATA {
            data = Some(field.value?);
            continue;
        }
        if field.number == TENSOR_NAME {
            name = Some(std::str::from_utf8(&bytes[field.value?]).ok()?.to_owned());
        }
        small.extend_from_slice(&bytes[field.whole]);
    }
    if let Some(data) = data
        && large.insert(name?, data).is_some()
    {
        return None;
    }
    Some(small)
}

/// Appends a message as field `number`.
fn nest(to: &mut Vec<u8>, number: u64, message: &[u8]) {
    prost::encoding::encode_varint(number << 3 | 2, to);
    prost::encoding::encode_varint(message.len() as u64, to);
    to.extend_from_slice(message);
}

/// The fields of a message.
fn fields(bytes: &[u8], within: Range<usize>) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    let mut at = within.start;
    while at < within.end {
        let start = at;
        let key = varint(bytes, &mut at)?;
        let value = match key & 7 {
            0 => varint(bytes, &mut at).map(|_| None)?,
            1 => advance(&mut at, 8).map(|_| None)?,
            2 => {
                let length = usize::try_from(varint(bytes, &mut at)?).ok()?;
                Some(advance(&mut at, length)?)
            }
            5 => advance(&mut at, 4).map(|_| None)?,
            _ => return None,
        };
        if at > within.end {
            return None;
        }
        fields.push(Field { number: key >> 3, whole: start..at, value });
    }
    Some(fields)
}

fn advance(at: &mut usize, count: usize) -> Option<Range<usize>> {
    let start = *at;
    *at = start.checked_add(count)?;
    Some(start..*at)
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
