//! Bytes in a measurement: a text where they are UTF-8, else base64 (df-001 `MaybeBinaryData`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, written as `"text"` or as `{"format": "base64", "data": "…"}`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MaybeBinary(pub(crate) Vec<u8>);

/// The second form.
#[derive(Deserialize, Serialize)]
struct Binary {
    format: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Binary(Binary),
    Nothing(()),
}

impl MaybeBinary {
    /// As a text; what is no UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl From<&str> for MaybeBinary {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl Serialize for MaybeBinary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => binary(&self.0).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for MaybeBinary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Binary(binary) => decoded(&binary).map(Self).map_err(D::Error::custom),
            Written::Nothing(()) => Ok(Self::default()),
        }
    }
}

/// Bytes that are always written as base64: a certificate.
pub(super) mod always {
    use super::{Binary, Deserialize, Deserializer, Serialize, Serializer, binary, decoded};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        binary(bytes).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        decoded(&Binary::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn binary(bytes: &[u8]) -> Binary {
    Binary { format: "base64".to_owned(), data: STANDARD.encode(bytes) }
}

fn decoded(binary: &Binary) -> Result<Vec<u8>, String> {
    if binary.format != "base64" {
        return Err(format!("`{}` is no format of binary data; there is `base64`", binary.format));
    }
    STANDARD.decode(&binary.data).map_err(|error| format!("binary data is not base64: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            let written = serde_json::to_string(&MaybeBinary(bytes.clone())).expect("it is written");
            let read: MaybeBinary = serde_json::from_str(&written).expect("it is read");
            assert_eq!(read.0, bytes);
        }
    }

    #[test]
    fn the_published_example_is_read() {
        let read: MaybeBinary =
            serde_json::from_str(r#"{"format": "base64", "data": "AQI="}"#).expect("df-001's example");
        assert_eq!(read.0, [1, 2]);
        assert!(serde_json::from_str::<MaybeBinary>(r#"{"format": "hex", "data": "01"}"#).is_err());
        assert_eq!(serde_json::from_str::<MaybeBinary>("null").expect("nothing"), MaybeBinary::default());
    }
}
