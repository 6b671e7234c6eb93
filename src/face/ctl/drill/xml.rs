//! Walking through the XML of Pacemaker's tools, element by element.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element that begins, with the names of those around it, the outermost first.
pub(super) struct Element<'a> {
    /// Its name.
    pub name: &'a str,
    /// The elements around it.
    pub around: &'a [String],
    attributes: Vec<(String, String)>,
}

impl Element<'_> {
    /// Returns an attribute; empty where it has none of this name.
    pub fn text(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Returns whether an attribute says yes.
    pub fn is(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// Returns the name of the element right around it.
    pub fn parent(&self) -> &str {
        self.around.last().map_or("", String::as_str)
    }

    /// Returns whether there is an element of this name around it.
    pub fn is_in(&self, name: &str) -> bool {
        self.around.iter().any(|around| around == name)
    }
}

/// Hands every element to `take`, in the order of the document.
///
/// # Errors
/// Why it is no well-formed XML.
pub(super) fn walk(xml: &str, mut take: impl FnMut(&Element<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    let mut around: Vec<String> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let attributes = attributes(start)?;
                let name = start.name();
                take(&Element { name: name.as_ref(), around: &around, attributes });
                if matches!(event, Event::Start(_)) {
                    around.push(name.as_ref().to_owned());
                }
            }
            Event::End(_) => drop(around.pop()),
            Event::Eof if around.is_empty() => return Ok(()),
            Event::Eof => return Err("it ends too early".to_owned()),
            _ => {}
        }
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let pair = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
        let attribute =
            attribute.map_err(|error: quick_xml::events::attributes::AttrError| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
    };
    start.attributes().map(pair).collect()
}
