//! XML as a tree: for documents of which only a few elements matter, at any depth.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// An element with its attributes and children; text is left out.
#[derive(Debug, Default, Clone)]
pub struct XmlElement {
    /// Name of the tag, as in the document.
    pub name: String,
    attributes: BTreeMap<String, String>,
    /// Child elements, in the order of the document.
    pub children: Vec<XmlElement>,
}

impl XmlElement {
    /// Parses a document; the result is its root.
    ///
    /// # Errors
    /// The parser's message.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => open.push(Self::of(&tag)?),
                Event::End(_) => {
                    let done = open.pop();
                    if let (Some(parent), Some(done)) = (open.last_mut(), done) {
                        parent.children.push(done);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty()).unwrap_or_default();
        document.children.into_iter().next().ok_or_else(|| "truncated XML".to_owned())
    }

    fn of(tag: &BytesStart<'_>) -> Result<Self, String> {
        let mut element = Self { name: text(tag.name().as_ref()), ..Self::default() };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| error.to_string())?.into_owned();
            element.attributes.insert(text(attribute.key.as_ref()), value);
        }
        Ok(element)
    }

    /// Value of an attribute; empty if it is missing.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The elements directly below with this tag.
    pub fn below(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// All elements below with this tag, at any depth, the outer ones first.
    pub fn all(&self, name: &str) -> Vec<&Self> {
        let mut found = self.descendants();
        found.retain(|element| element.name == name);
        found
    }

    /// All elements below, at any depth, the outer ones first.
    pub fn descendants(&self) -> Vec<&Self> {
        let mut found: Vec<&Self> = self.children.iter().collect();
        let mut next = 0;
        while let Some(element) = found.get(next).copied() {
            found.extend(&element.children);
            next += 1;
        }
        found
    }

    /// Takes the place of a reference to this element. The name that an `nvpair` gives the value that it refers to stays.
    pub fn become_copy_of(&mut self, target: &Self) {
        let name = self.attributes.remove("name");
        *self = target.clone();
        self.attributes.extend(name.map(|name| ("name".to_owned(), name)));
    }
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_at_any_depth_with_their_attributes() {
        let tree = XmlElement::parse(r#"<a><b n="1 &amp; 2"><c><b n="3"/></c></b></a>"#).unwrap();
        let found: Vec<_> = tree.all("b").into_iter().map(|b| b.attribute("n")).collect();
        assert_eq!((found, tree.attribute("n")), (vec!["1 & 2", "3"], ""));
        for broken in ["", "<a>", "<a></b>", "no XML"] {
            assert!(XmlElement::parse(broken).is_err(), "{broken}");
        }
    }
}
