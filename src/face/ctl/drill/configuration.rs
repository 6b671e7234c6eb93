//! What a drill needs of the cluster's configuration: the XML of `cibadmin --query`.

use std::collections::BTreeMap;

use super::xml::{Element, walk};

/// What is configured for one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Whether it moves without being stopped first.
    pub live: bool,
    /// Constraints that moves by hand have left, by their ids.
    pub left_over: Vec<String>,
}

/// Where the nvpairs belong that come next.
#[derive(Default)]
struct Reading {
    primitive: String,
    group: String,
    template: String,
    /// What templates say, by template.
    templates: BTreeMap<String, BTreeMap<String, String>>,
    /// Of the resource: the template it is made from, and the group it is in.
    uses: String,
    inside: String,
    /// Of all resources: constraints of moves by hand, with what they are about.
    constraints: Vec<(String, String)>,
}

impl Configuration {
    /// Reads what the document says of a resource.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn parse(xml: &str, resource: &str) -> Result<Self, String> {
        let mut configuration = Self::default();
        let mut reading = Reading::default();
        walk(xml, |element| configuration.take(element, resource, &mut reading))?;
        let by_template = reading.templates.remove(&reading.uses).unwrap_or_default();
        for (name, value) in by_template {
            configuration.parameters.entry(name).or_insert(value);
        }
        let about = |(_, about): &(String, String)| about == resource || *about == reading.inside;
        let left_over = reading.constraints.into_iter().filter(about).map(|(id, _)| id);
        configuration.left_over = left_over.collect();
        Ok(configuration)
    }

    fn take(&mut self, element: &Element<'_>, resource: &str, reading: &mut Reading) {
        let id = element.text("id");
        match element.name {
            "group" => id.clone_into(&mut reading.group),
            "template" => id.clone_into(&mut reading.template),
            "primitive" => {
                id.clone_into(&mut reading.primitive);
                if id == resource {
                    element.text("template").clone_into(&mut reading.uses);
                    if element.is_in("group") {
                        reading.inside.clone_from(&reading.group);
                    }
                }
            }
            "nvpair" if element.is_in("template") && element.parent() == "instance_attributes" => {
                let parameters = reading.templates.entry(reading.template.clone()).or_default();
                note(parameters, element);
            }
            "nvpair" if element.is_in("primitive") && reading.primitive == resource => match element.parent()
            {
                "instance_attributes" => note(&mut self.parameters, element),
                "meta_attributes" if element.text("name") == "allow-migrate" => {
                    self.live = matches!(element.text("value"), "true" | "yes" | "on" | "1" | "y");
                }
                _ => {}
            },
            "rsc_location" if id.starts_with("cli-") => {
                reading.constraints.push((id.to_owned(), element.text("rsc").to_owned()));
            }
            _ => {}
        }
    }
}

/// Notes a parameter; of several with its name the first one counts, as for Pacemaker.
fn note(parameters: &mut BTreeMap<String, String>, element: &Element<'_>) {
    let (name, value) = (element.text("name"), element.text("value"));
    parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<cib crm_feature_set="3.16.1"><configuration>
      <resources>
        <template id="address" class="ocf" provider="heartbeat" type="eip">
          <instance_attributes id="a"><nvpair id="a1" name="region" value="eu-west-1"/>
            <nvpair id="a2" name="elastic_ip" value="203.0.113.99"/></instance_attributes>
        </template>
        <group id="service">
          <primitive id="eip" template="address">
            <instance_attributes id="i"><nvpair id="i1" name="elastic_ip" value="203.0.113.10"/></instance_attributes>
            <meta_attributes id="m"><nvpair id="m1" name="allow-migrate" value="true"/></meta_attributes>
            <operations><op id="o" name="monitor" interval="10s"/></operations>
          </primitive>
        </group>
        <primitive id="other" class="ocf" provider="heartbeat" type="eip">
          <instance_attributes id="j"><nvpair id="j1" name="profile" value="other"/></instance_attributes>
        </primitive>
      </resources>
      <constraints>
        <rsc_location id="cli-prefer-service" rsc="service" role="Started" node="n2" score="INFINITY"/>
        <rsc_location id="cli-ban-other-on-n1" rsc="other" role="Started" node="n1" score="-INFINITY"/>
        <rsc_location id="home" rsc="eip" node="n1" score="100"/>
      </constraints>
    </configuration></cib>"#;

    #[test]
    fn parameters_of_the_resource_and_of_its_template_are_found() {
        let found = Configuration::parse(CIB, "eip").unwrap();
        let parameters: Vec<_> =
            found.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parameters, [("elastic_ip", "203.0.113.10"), ("region", "eu-west-1")]);
        assert!(found.live);
    }

    #[test]
    fn only_what_moves_by_hand_have_left_counts_also_of_the_group() {
        assert_eq!(Configuration::parse(CIB, "eip").unwrap().left_over, ["cli-prefer-service"]);
        let other = Configuration::parse(CIB, "other").unwrap();
        assert_eq!((other.left_over, other.live), (vec!["cli-ban-other-on-n1".to_owned()], false));
        assert!(Configuration::parse("<cib>", "eip").is_err());
    }
}
