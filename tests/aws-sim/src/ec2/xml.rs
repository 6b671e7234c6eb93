//! XML documents in the format of EC2 and STS.

use std::fmt::{Display, Write};

use eip::cloud::model::ApiError;
use quick_xml::escape::partial_escape;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// Contents of an element: other elements, each with its name.
#[derive(Debug, Default)]
pub(crate) struct Content(Vec<(&'static str, Inside)>);

#[derive(Debug)]
enum Inside {
    Text(String),
    Elements(Content),
}

impl Content {
    /// Adds an element with a text.
    pub(crate) fn text(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.push((name, Inside::Text(value.to_string())));
        self
    }

    /// Adds an element with a text, if there is one.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds an element that contains elements.
    pub(crate) fn with(mut self, name: &'static str, inside: Self) -> Self {
        self.0.push((name, Inside::Elements(inside)));
        self
    }

    /// Adds a list in EC2's form: one element `item` per entry.
    pub(crate) fn list(self, name: &'static str, items: impl IntoIterator<Item = Self>) -> Self {
        self.with(name, Self(items.into_iter().map(|item| ("item", Inside::Elements(item))).collect()))
    }

    /// The texts of the elements at a path such as `routeSet/item/state`.
    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let named = self.0.iter().filter(|(name, _)| *name == first);
        let texts = named.flat_map(|(_, inside)| match (inside, rest) {
            (Inside::Text(text), None) => vec![text.clone()],
            (Inside::Elements(inside), Some(rest)) => inside.texts(rest),
            _ => Vec::new(),
        });
        texts.collect()
    }

    fn write(&self, to: &mut String) {
        for (name, inside) in &self.0 {
            let _ = write!(to, "<{name}>");
            match inside {
                Inside::Text(text) => to.push_str(&partial_escape(text.as_str())),
                Inside::Elements(inside) => inside.write(to),
            }
            let _ = write!(to, "</{name}>");
        }
    }
}

/// A document with this root element.
pub(crate) fn document(root: &str, namespace: Option<&str>, content: &Content) -> String {
    let namespace = namespace.map(|uri| format!(" xmlns=\"{uri}\"")).unwrap_or_default();
    let mut text = format!("{DECLARATION}<{root}{namespace}>");
    content.write(&mut text);
    let _ = write!(text, "</{root}>");
    text
}

/// The response to `action`: `result` after the request id.
pub(super) fn answer(action: &str, request_id: &str, result: Content) -> String {
    let mut content = Content::default().text("requestId", request_id);
    content.0.extend(result.0);
    document(&format!("{action}Response"), Some(NAMESPACE), &content)
}

/// The document of an error.
pub(super) fn error(error: &ApiError, request_id: &str) -> String {
    let own = Content::default().text("Code", &error.code).text("Message", &error.message);
    let errors = Content::default().with("Error", own);
    document("Response", None, &Content::default().with("Errors", errors).text("RequestID", request_id))
}
