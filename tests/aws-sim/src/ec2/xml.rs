//! XML documents as EC2 writes them.

use std::fmt::Write;

use quick_xml::se::Serializer;
use serde::Serialize;

use eip::cloud::model::ApiError;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct XmlResponse<'a, T> {
    #[serde(rename = "@xmlns")]
    namespace: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    result: &'a T,
}

/// Returns the answer to `action`: `result` after the request identifier.
pub(super) fn answer(action: &str, request_id: &str, result: &impl Serialize) -> String {
    document(&format!("{action}Response"), &XmlResponse { namespace: NAMESPACE, request_id, result })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal<'a> {
    errors: Errors<'a>,
    #[serde(rename = "RequestID")]
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Errors<'a> {
    error: ErrorElement<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorElement<'a> {
    code: &'a str,
    message: &'a str,
}

/// Returns the document of an error.
pub(super) fn error(error: &ApiError, request_id: &str) -> String {
    let error = ErrorElement { code: &error.code, message: &error.message };
    document("Response", &Refusal { errors: Errors { error }, request_id })
}

/// Returns `content` as a document with this root element.
///
/// Every type serialised here is made of structures, lists and plain values; the serialiser refuses other things
/// only, and a refusal must not pass for an answer, so it becomes one no client can read.
pub(crate) fn document(root: &str, content: &impl Serialize) -> String {
    let mut text = DECLARATION.to_owned();
    let written = Serializer::with_root(&mut text, Some(root)).map(|s| content.serialize(s));
    if let Ok(Err(error)) | Err(error) = written {
        let _ = write!(text, "<unwritable>{error}");
    }
    text
}

/// A list in EC2's way: one `item` element per entry.
#[derive(Serialize)]
pub(super) struct ItemSet<T> {
    item: Vec<T>,
}

impl<T> ItemSet<T> {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.item.iter()
    }
}

impl<T> FromIterator<T> for ItemSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { item: items.into_iter().collect() }
    }
}

/// The answer of the operations that only say yes.
#[derive(Serialize)]
pub(super) struct Yes {
    r#return: bool,
}

impl Yes {
    pub(super) const ANSWER: Self = Self { r#return: true };
}
