//! The two macros with which a kind of record and a list of words are declared once each.

/// Declares a kind of record: its struct, its schema, and the way between the struct and a document's fields.
///
/// A field is `required` (`T`), `optional` (`Option<T>`) or a `set` (`BTreeMap<String, T>` by element). Types
/// with the name of a [`FieldType`](crate::schema::FieldType) variant are written with a path.
macro_rules! record {
    (@type required $ty:ty) => { $ty };
    (@type optional $ty:ty) => { Option<$ty> };
    (@type set $ty:ty) => { std::collections::BTreeMap<String, $ty> };
    (@read required $reader:ident $name:expr) => { $reader.required($name) };
    (@read optional $reader:ident $name:expr) => { $reader.optional($name) };
    (@read set $reader:ident $name:expr) => { $reader.set($name) };
    (@take required $value:ident) => { $value? };
    (@take optional $value:ident) => { $value };
    (@take set $value:ident) => { $value };
    (@write required $out:ident $name:expr, $value:expr) => {
        $crate::records::write_one(&mut $out, $name, Some($value))
    };
    (@write optional $out:ident $name:expr, $value:expr) => {
        $crate::records::write_one(&mut $out, $name, $value.as_ref())
    };
    (@write set $out:ident $name:expr, $value:expr) => {
        $crate::records::write_set(&mut $out, $name, $value)
    };
    (@is_set set) => { true };
    (@is_set $other:ident) => { false };
    (@is_required required) => { true };
    (@is_required $other:ident) => { false };
    (
        $(#[$doc:meta])*
        $name:ident, $tag:literal, $zh:literal, $en:literal;
        class $class:ident;
        placement $placement:expr;
        followers [$($follower:literal),*];
        devices $devices:literal;
        $(
            $(#[$field_doc:meta])*
            $mode:ident $field:ident : $ty:ty = $field_type:expr, $policy:ident, $field_zh:literal, $field_en:literal;
        )*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: record!(@type $mode $ty), )*
        }

        impl $crate::records::Record for $name {
            const SCHEMA: &'static $crate::schema::KindSchema = {
                #[allow(unused_imports)]
                use $crate::schema::{FieldType::*, PlacementRule::*};
                &$crate::schema::KindSchema {
                    kind: $crate::records::Kind::$name,
                    tag: $tag,
                    zh: $zh,
                    en: $en,
                    class: $crate::stream::AccessClass::$class,
                    placement: $placement,
                    followers: &[$($follower),*],
                    device_writes: $devices,
                    fields: &[
                        $(
                            $crate::schema::FieldSchema {
                                name: stringify!($field),
                                set: record!(@is_set $mode),
                                ty: $field_type,
                                required: record!(@is_required $mode),
                                policy: $crate::schema::FieldPolicy::$policy,
                                zh: $field_zh,
                                en: $field_en,
                                words: <$ty as $crate::records::FieldValue>::WORDS,
                            },
                        )*
                    ],
                }
            };

            fn from_fields(
                fields: &$crate::value::Fields,
            ) -> Result<Self, Vec<$crate::validate::FieldError>> {
                let mut reader = $crate::records::FieldReader::new(fields);
                $( let $field = record!(@read $mode reader stringify!($field)); )*
                reader.finish(move || Some(Self { $( $field: record!(@take $mode $field), )* }))
            }

            fn to_fields(&self) -> $crate::value::Fields {
                let mut out = $crate::value::Fields::new();
                $( record!(@write $mode out stringify!($field), &self.$field); )*
                out
            }
        }
    };
}

/// Declares a list of words that a field may hold, each with its labels. A word that this build does not know
/// is kept as it is, in the variant `Other`.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident {
            $( $(#[$word_doc:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$word_doc])* #[doc = $zh] $variant, )*
            /// A word of a newer schema, carried as it is.
            Other(String),
        }

        impl $name {
            /// The words that this build knows.
            pub const CODES: &'static [&'static str] = &[$($word),*];

            /// The word as it stands in a document.
            pub fn word(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Other(word) => word,
                }
            }

            /// Reads a word; one that is not known becomes `Other`.
            pub fn from_word(word: &str) -> Self {
                match word {
                    $( $word => Self::$variant, )*
                    other => Self::Other(other.to_owned()),
                }
            }

            /// The label in Chinese; an unknown word is shown as it is.
            pub fn zh(&self) -> &str {
                match self {
                    $( Self::$variant => $zh, )*
                    Self::Other(word) => word,
                }
            }

            /// The label in English; an unknown word is shown as it is.
            pub fn en(&self) -> &str {
                match self {
                    $( Self::$variant => $en, )*
                    Self::Other(word) => word,
                }
            }
        }

        impl $crate::records::FieldValue for $name {
            const WORDS: &'static [$crate::schema::Word] =
                &[$( $crate::schema::Word { word: $word, zh: $zh, en: $en }, )*];

            fn from_value(value: &$crate::value::Value) -> Result<Self, $crate::validate::Reason> {
                value.as_text().map(Self::from_word).ok_or($crate::validate::Reason::WrongType)
            }

            fn to_value(&self) -> $crate::value::Value {
                $crate::value::Value::Text(self.word().to_owned())
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.word())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str().map(Self::from_word)
            }
        }
    };
}

/// Declares a list of words that are computed, never read from a document, each with its labels.
macro_rules! labels {
    (
        $(#[$doc:meta])*
        $name:ident {
            $( $(#[$word_doc:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$word_doc])* #[doc = $zh] $variant, )*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it in tables and interfaces.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// Reads the word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )* _ => None }
            }

            /// The label in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $( Self::$variant => $zh, )* }
            }

            /// The label in English.
            pub const fn en(self) -> &'static str {
                match self { $( Self::$variant => $en, )* }
            }
        }
    };
}
