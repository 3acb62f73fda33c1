//! The language's description of itself: `table!`, `choice!` and `words!`.

/// A table with known keys.
///
/// Each key gives its name in the file, its field, its type and, after `=`, what holds when it is missing. The types say
/// which keys must be there. A last line `..name` takes all other keys as they are, for the reader to judge.
macro_rules! table {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            $( $(#[doc = $field_doc:literal])* $key:literal => $field:ident: $type:ty $(= $default:expr)?, )*
            $( .. $(#[doc = $rest_doc:literal])* $rest:ident )?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $( $(#[doc = $field_doc])* pub(crate) $field: $type, )*
            $( $(#[doc = $rest_doc])* pub(crate) $rest: Vec<$crate::tree::Entry>, )?
            at: $crate::source::Location,
        }

        impl $crate::read::Located for $name {
            fn at(&self) -> &$crate::source::Location {
                &self.at
            }
        }

        impl $name {
            /// The keys that the table has.
            pub(crate) const KEYS: &[&str] = &[$($key),*];
        }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::tree::Node, errors: &mut $crate::diagnostic::Collector) -> Option<Self> {
                const OPEN: bool = $crate::read::table!(@open $($rest)?);
                let entries = $crate::read::entries(node, Self::KEYS, OPEN, errors)?;
                $( let $field = $crate::read::table!(@take $type, $key, entries, node, errors $(, $default)?); )*
                Some(Self {
                    $( $field: $field?, )*
                    $( $rest: $crate::read::table!(@rest $rest, entries), )?
                    at: node.at.clone(),
                })
            }

            fn schema(definitions: &mut $crate::read::Definitions) -> serde_json::Value {
                definitions.define(stringify!($name), |definitions| {
                    let mut properties = serde_json::Map::new();
                    let mut required: Vec<&str> = Vec::new();
                    $(
                        let schema = <$type as $crate::read::Field>::schema(definitions);
                        let schema = $crate::read::described(schema, &[$($field_doc),*]);
                        let schema = $crate::read::table!(@default schema, $type $(, $default)?);
                        properties.insert($key.to_owned(), schema);
                        if $crate::read::table!(@required $type $(, $default)?) {
                            required.push($key);
                        }
                    )*
                    serde_json::json!({
                        "type": "object",
                        "description": $crate::read::prose(&[$($doc),*]),
                        "properties": properties,
                        "required": required,
                        "additionalProperties": $crate::read::table!(@open $($rest)?),
                    })
                })
            }
        }
    };
    (@open) => { false };
    (@open $rest:ident) => { true };
    (@rest $rest:ident, $entries:ident) => {
        $entries.iter().filter(|entry| !Self::KEYS.contains(&entry.key.as_str())).cloned().collect()
    };
    (@take $type:ty, $key:literal, $entries:ident, $node:ident, $errors:ident) => {
        <$type as $crate::read::Field>::take($crate::read::value($entries, $key), $key, &$node.at, $errors)
    };
    (@take $type:ty, $key:literal, $entries:ident, $node:ident, $errors:ident, $default:expr) => {
        Some(
            $crate::read::value($entries, $key)
                .and_then(|node| <$type as $crate::read::Read>::read(node, $errors))
                .unwrap_or_else(|| $default),
        )
    };
    (@default $schema:ident, $type:ty) => { $schema };
    (@default $schema:ident, $type:ty, $default:expr) => {{
        let default: $type = $default;
        $crate::read::with_default($schema, $crate::read::Read::written(&default))
    }};
    (@required $type:ty) => { <$type as $crate::read::Field>::REQUIRED };
    (@required $type:ty, $default:expr) => { false };
}

/// One of several forms: a word, or a table with exactly one key.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            words { $( $(#[doc = $word_doc:literal])* $word:literal => $unit:ident, )* }
            keys { $( $(#[doc = $key_doc:literal])* $key:literal => $variant:ident($type:ty), )* }
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub(crate) enum $name {
            $( $(#[doc = $word_doc])* $unit, )*
            $( $(#[doc = $key_doc])* $variant($type), )*
        }

        impl $name {
            /// The keys that the table may have.
            pub(crate) const KEYS: &[&str] = &[$($key),*];

            /// The forms, for messages.
            const FORMS: &[&str] = &[$( concat!("\"", $word, "\""), )* $( concat!("{ ", $key, " = … }") ),*];
        }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::tree::Node, errors: &mut $crate::diagnostic::Collector) -> Option<Self> {
                match &node.value {
                    $( $crate::tree::Value::String(word) if word == $word => Some(Self::$unit), )*
                    $crate::tree::Value::Table(_) if !Self::KEYS.is_empty() => {
                        let entries = $crate::read::entries(node, Self::KEYS, false, errors)?;
                        let [entry] = entries else {
                            return $crate::read::one_of(node, Self::FORMS, errors);
                        };
                        match entry.key.as_str() {
                            $( $key => <$type as $crate::read::Read>::read(&entry.node, errors).map(Self::$variant), )*
                            _ => None,
                        }
                    }
                    _ => $crate::read::one_of(node, Self::FORMS, errors),
                }
            }

            fn schema(definitions: &mut $crate::read::Definitions) -> serde_json::Value {
                definitions.define(stringify!($name), |definitions| {
                    let _ = &definitions;
                    let forms: Vec<serde_json::Value> = vec![
                        $( $crate::read::described(serde_json::json!({ "const": $word }), &[$($word_doc),*]), )*
                        $(
                            serde_json::json!({
                                "type": "object",
                                "description": $crate::read::prose(&[$($key_doc),*]),
                                "properties": { $key: <$type as $crate::read::Read>::schema(definitions) },
                                "required": [$key],
                                "additionalProperties": false,
                            }),
                        )*
                    ];
                    serde_json::json!({ "description": $crate::read::prose(&[$($doc),*]), "anyOf": forms })
                })
            }

            fn written(&self) -> Option<serde_json::Value> {
                match self {
                    $( Self::$unit => Some(serde_json::json!($word)), )*
                    $( Self::$variant(_) => None, )*
                }
            }
        }
    };
}

/// Words for the values of a type that exists elsewhere.
macro_rules! words {
    ( $(#[doc = $doc:literal])* $name:ty { $( $word:literal => $value:expr, )* } ) => {
        impl $crate::read::Read for $name {
            fn read(node: &$crate::tree::Node, errors: &mut $crate::diagnostic::Collector) -> Option<Self> {
                let $crate::tree::Value::String(word) = &node.value else {
                    return $crate::read::one_of(node, &[$(concat!("\"", $word, "\"")),*], errors);
                };
                match word.as_str() {
                    $( $word => Some($value), )*
                    _ => $crate::read::unknown_word(node, word, &[$($word),*], errors),
                }
            }

            fn schema(_: &mut $crate::read::Definitions) -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),*], "description": $crate::read::prose(&[$($doc),*]) })
            }

            fn written(&self) -> Option<serde_json::Value> {
                // The types live elsewhere, and not all can be compared; all can be shown.
                let shown = format!("{self:?}");
                let mut words = [$(($word, format!("{:?}", $value))),*].into_iter();
                words.find(|(_, value)| *value == shown).map(|(word, _)| serde_json::json!(word))
            }
        }
    };
}

pub(crate) use {choice, table, words};
