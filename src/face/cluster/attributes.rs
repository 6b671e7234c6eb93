//! Sets of attributes in the CIB, as Pacemaker applies them: references, scores, and rules about the node.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::xml::XmlElement;

/// Tags of attribute sets.
const SETS: [&str; 3] = ["instance_attributes", "meta_attributes", "cluster_property_set"];
/// The set of cluster properties that comes before all others.
const FIRST: &str = "cib-bootstrap-options";

/// The score that outweighs every other one.
pub const INFINITY: i64 = 1_000_000;

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'x> {
    /// The value. Unless it is decided, this is only one of the candidates.
    pub value: &'x str,
    /// False if it depends on a rule that only Pacemaker can evaluate.
    pub is_decided: bool,
}

impl<'x> Attribute<'x> {
    /// The value if it is decided.
    pub fn decided(self) -> Option<&'x str> {
        self.is_decided.then_some(self.value)
    }
}

/// Why an attribute that is not decided is unknown.
pub fn undecided(name: &str) -> String {
    format!("{name} depends on a rule that only Pacemaker can evaluate")
}

/// The attributes in all sets with this tag directly below the places. The set with the highest score comes first, of equal ones
/// the last; the first value of a name counts.
///
/// # Source
/// `lib/pengine/rules.c` of Pacemaker 1.1 to 2.1, `lib/common/nvpair.c` of 3.0. A template's sets precede those of its primitive.
pub fn attributes<'x>(
    places: impl IntoIterator<Item = &'x XmlElement>,
    tag: &str,
) -> BTreeMap<&'x str, Attribute<'x>> {
    let mut sets: Vec<&XmlElement> = places.into_iter().flat_map(|place| place.below(tag)).collect();
    sets.reverse();
    sets.sort_by_key(|set| Reverse((set.attribute("id") == FIRST, score(set.attribute("score")))));
    let mut found = BTreeMap::new();
    for set in sets {
        let is_decided = set.below("rule").next().is_none();
        // A reference to something that does not exist has no name.
        for pair in set.below("nvpair").filter(|pair| !pair.attribute("name").is_empty()) {
            let value = pair.attribute("value");
            found.entry(pair.attribute("name")).or_insert(Attribute { value, is_decided });
        }
    }
    found
}

/// A score; as in Pacemaker, text that is none counts as 0.
pub fn score(text: &str) -> i64 {
    match text.trim().to_ascii_uppercase().as_str() {
        "INFINITY" | "+INFINITY" => INFINITY,
        "-INFINITY" => -INFINITY,
        number => number.parse().unwrap_or_default(),
    }
}

/// Replaces each reference by `id-ref` with what it refers to, so that every set is complete.
pub fn dereference(document: &mut XmlElement) {
    replace_references(document, &["nvpair", "rule"]);
    replace_references(document, &[SETS.as_slice(), &["operations"]].concat());
}

fn replace_references(document: &mut XmlElement, tags: &[&str]) {
    let mut elements = document.descendants();
    elements.retain(|element| tags.contains(&element.name.as_str()) && !element.attribute("id").is_empty());
    let key = |element: &XmlElement, id| (element.name.clone(), element.attribute(id).to_owned());
    let targets: BTreeMap<_, XmlElement> =
        elements.into_iter().map(|element| (key(element, "id"), element.clone())).collect();
    let mut open = vec![document];
    while let Some(element) = open.pop() {
        for child in &mut element.children {
            match targets.get(&key(child, "id-ref")) {
                Some(target) => child.become_copy_of(target),
                None => open.push(child),
            }
        }
    }
}

/// Whether any set depends on a rule.
pub fn has_rules(document: &XmlElement) -> bool {
    document
        .descendants()
        .into_iter()
        .any(|element| is_set(element) && element.below("rule").next().is_some())
}

/// Removes the sets whose rule is false on this node, and the rules that are true. A rule that remains cannot be evaluated.
pub fn apply_rules(document: &mut XmlElement, node: Option<&str>) {
    let mut open = vec![document];
    while let Some(element) = open.pop() {
        element.children.retain_mut(|child| {
            let applies = if is_set(child) { applies(child, node) } else { None };
            if applies == Some(true) {
                child.children.retain(|part| part.name != "rule");
            }
            applies != Some(false)
        });
        open.extend(&mut element.children);
    }
}

fn is_set(element: &XmlElement) -> bool {
    SETS.contains(&element.name.as_str())
}

/// Whether a set applies on this node: without a rule, or if one of its rules holds.
fn applies(set: &XmlElement, node: Option<&str>) -> Option<bool> {
    let mut rules = set.below("rule").map(|rule| holds(rule, node)).peekable();
    if rules.peek().is_none() { Some(true) } else { combined(rules, true) }
}

/// Whether a rule holds on this node; `None` if it is about more than the node's name.
fn holds(rule: &XmlElement, node: Option<&str>) -> Option<bool> {
    let part = |part: &XmlElement| match part.name.as_str() {
        "rule" => holds(part, node),
        "expression" => compares(part, node),
        _ => None,
    };
    combined(rule.children.iter().map(part), rule.attribute("boolean-op").eq_ignore_ascii_case("or"))
}

/// Combines answers by "or" if `decisive` is true, otherwise by "and".
fn combined(answers: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let answers: Vec<_> = answers.collect();
    if answers.contains(&Some(decisive)) {
        return Some(decisive);
    }
    (!answers.is_empty() && !answers.contains(&None)).then_some(!decisive)
}

/// The outcome of a comparison with this node's name.
fn compares(expression: &XmlElement, node: Option<&str>) -> Option<bool> {
    let is_plain = |name, plain| ["", plain].contains(&expression.attribute(name));
    if expression.attribute("attribute") != "#uname"
        || !is_plain("type", "string")
        || !is_plain("value-source", "literal")
    {
        return None;
    }
    let is_equal = expression.attribute("value").eq_ignore_ascii_case(node?);
    match expression.attribute("operation") {
        "eq" => Some(is_equal),
        "ne" => Some(!is_equal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(xml: &str, node: Option<&str>, name: &str) -> Option<(String, bool)> {
        let mut document = XmlElement::parse(xml).unwrap();
        dereference(&mut document);
        apply_rules(&mut document, node);
        let places = document.all("primitive");
        let found = attributes(places, "instance_attributes").remove(name);
        found.map(|found| (found.value.to_owned(), found.is_decided))
    }

    /// Confirmed with `crm_simulate` of Pacemaker 2.1.5.
    #[test]
    fn the_set_with_the_highest_score_counts_and_of_equal_ones_the_last() {
        let set = |id: &str, score: &str, value: &str| {
            format!(
                r#"<instance_attributes id="{id}"{score}><nvpair id="{id}-1" name="ip" value="{value}"/>
                <nvpair id="{id}-2" name="ip" value="second of {id}"/></instance_attributes>"#
            )
        };
        let rows = [
            ("", "", "b"),
            (r#" score="1""#, "", "a"),
            (r#" score="1""#, r#" score="INFINITY""#, "b"),
            (r#" score="-1""#, "", "b"),
            ("", r#" score="-INFINITY""#, "a"),
        ];
        for (a, b, expected) in rows {
            let xml = format!("<r><primitive>{}{}</primitive></r>", set("i", a, "a"), set("j", b, "b"));
            assert_eq!(value(&xml, None, "ip"), Some((expected.to_owned(), true)), "{xml}");
        }
    }

    #[test]
    fn what_a_reference_refers_to_counts_wherever_it_is() {
        let xml = r##"<r><primitive><instance_attributes id-ref="i"/></primitive>
            <rsc_defaults><meta_attributes id="i"><nvpair id="x" name="ip" value="wrong tag"/></meta_attributes></rsc_defaults>
            <template><instance_attributes id="i"><rule id-ref="r"/><nvpair id-ref="n"/><nvpair id-ref="n" name="other"/>
            <nvpair id-ref="missing"/></instance_attributes></template>
            <other><rule id="r"><expression attribute="#uname" operation="eq" value="n1"/></rule>
            <nvpair id="n" name="ip" value="10.0.1.11"/></other></r>"##;
        for name in ["ip", "other"] {
            assert_eq!(value(xml, Some("n1"), name), Some(("10.0.1.11".to_owned(), true)));
            assert_eq!(value(xml, Some("n2"), name), None);
        }
    }

    #[test]
    fn a_reference_to_itself_is_followed_once() {
        let xml = r#"<r><primitive><instance_attributes id="i"><rule id="r"><rule id-ref="r"/></rule>
            <instance_attributes id-ref="i"/><nvpair id="n" name="ip" value="a"/></instance_attributes></primitive></r>"#;
        assert_eq!(value(xml, Some("n1"), "ip"), Some(("a".to_owned(), false)));
    }

    #[test]
    fn a_rule_about_the_name_of_the_node_is_evaluated_and_any_other_is_not_decided() {
        let is = |operation: &str, node: &str| {
            format!(r##"<expression id="e" attribute="#uname" operation="{operation}" value="{node}"/>"##)
        };
        let date = r#"<date_expression id="d" operation="gt" start="2030-01-01"/>"#.to_owned();
        let kind = is("eq", "n1").replace("#uname", "#kind");
        let (no, yes) = (is("eq", "n2"), is("ne", "n2"));
        let nested = |op: &str, parts: &str| format!(r#"<rule id="q" boolean-op="{op}">{parts}</rule>"#);
        // Operator, the parts of the rule, and the outcome on n1.
        let rows = [
            ("", is("eq", "n1"), Some(true)),
            ("", is("eq", "N1"), Some(true)),
            ("", no.clone(), Some(false)),
            ("", is("lt", "n2"), None),
            ("", kind, None),
            ("", date.clone(), None),
            ("", String::new(), None),
            ("and", format!("{yes}{no}"), Some(false)),
            ("and", format!("{date}{no}"), Some(false)),
            ("and", format!("{date}{yes}"), None),
            ("or", format!("{no}{yes}"), Some(true)),
            ("or", format!("{date}{yes}"), Some(true)),
            ("or", format!("{date}{no}"), None),
            ("and", format!("{yes}{}", nested("or", &format!("{no}{yes}"))), Some(true)),
            ("or", format!("{no}{}", nested("and", &format!("{no}{date}"))), Some(false)),
        ];
        for (operator, parts, expected) in rows {
            let xml = format!(
                r#"<r><primitive><instance_attributes id="i"><rule id="r" score="0" boolean-op="{operator}">{parts}</rule>
                <nvpair id="n" name="ip" value="a"/></instance_attributes></primitive></r>"#
            );
            let found = value(&xml, Some("n1"), "ip");
            let outcome = found.map_or(Some(false), |(_, is_decided)| is_decided.then_some(true));
            assert_eq!(outcome, expected, "{xml}");
            let unnamed = value(&xml, None, "ip");
            assert_eq!(unnamed.map(|(_, is_decided)| is_decided), Some(false), "without a name: {xml}");
        }
    }
}
