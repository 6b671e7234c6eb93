//! The cluster's configuration of addresses, from the XML of `cibadmin --query`.

use std::collections::BTreeMap;

use quick_xml::de::from_str;
use serde::Deserialize;

use crate::face::report::{NodeReport, REPORT_ATTRIBUTE};
use crate::ocf::agent::{self, Agent};

/// A resource that one of our agents manages.
#[derive(Debug, Clone)]
pub struct ConfiguredAddress {
    /// Resource id.
    pub id: String,
    /// Its agent.
    pub agent: &'static Agent,
    /// Its configuration.
    pub configuration: Configuration,
}

impl ConfiguredAddress {
    /// All resources in the document that one of our agents manages.
    ///
    /// # Errors
    /// The parser's message, if the XML is not of the expected form.
    pub fn all(xml: &str) -> Result<Vec<Self>, String> {
        Ok(Self::among(&from_str(xml).map_err(|error| error.to_string())?))
    }

    fn among(cib: &Cib) -> Vec<Self> {
        let resources = &cib.configuration.resources;
        let known = |primitive: &Primitive| {
            let template = resources.template.iter().find(|template| template.id == primitive.template);
            let is_ours = |one: &Primitive| one.class == "ocf" && one.provider == "heartbeat";
            let of_agent = [Some(primitive), template].into_iter().flatten().find(|one| is_ours(one))?;
            let agent = agent::ALL.into_iter().find(|agent| agent.name == of_agent.kind)?;
            let configuration = Configuration::of(cib, &primitive.id);
            Some(Self { id: primitive.id.clone(), agent, configuration })
        };
        resources.primitives().into_iter().filter_map(known).collect()
    }

    /// All names of its address in its parameters.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let parameters = &self.configuration.parameters;
        self.agent.address.iter().filter_map(|name| parameters.get(*name)).map(|name| normal(name)).collect()
    }
}

/// An address or an id in the form in which it is compared.
#[must_use]
pub fn normal(address: &str) -> String {
    let address = address.trim();
    address.parse::<std::net::IpAddr>().map_or_else(|_| address.to_owned(), |ip| ip.to_string())
}

/// What the nodes report to each other, and what decides how.
#[derive(Debug, Clone, Default)]
pub struct ClusterReports {
    /// The resources with addresses.
    pub addresses: Vec<ConfiguredAddress>,
    /// Transient attributes of each node that has a status, by name.
    pub attributes: BTreeMap<String, BTreeMap<String, String>>,
    /// The resources of `eip-health` that set the node's health, each with the reason why they must not.
    pub colouring: Vec<(String, Option<&'static str>)>,
}

/// The first feature set that knows `allow-unhealthy-nodes`, in Pacemaker 2.1.3.
///
/// # Source
/// "Pacemaker Feature Set" in the wiki of the project.
const EXEMPTS_RESOURCES: [u32; 2] = [3, 14];

impl ClusterReports {
    /// Extracts them from the document.
    ///
    /// # Errors
    /// The parser's message, if the XML is not of the expected form.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let cib: Cib = from_str(xml).map_err(|error| error.to_string())?;
        let Sections { crm_config, resources, .. } = &cib.configuration;
        let nodes = cib.status.node_state.iter();
        let strategy = value_in(&crm_config.cluster_property_set, "node-health-strategy");
        let feature = cib.crm_feature_set.split('.').map(|part| part.parse().unwrap_or_default());
        let exempts = feature.take(2).collect::<Vec<u32>>().as_slice() >= EXEMPTS_RESOURCES.as_slice();
        let colours = |one: &&Primitive| {
            one.kind == agent::EIP_HEALTH.name && is_true(value_in(&one.instance_attributes, "node_health"))
        };
        let obstacle = |one: &Primitive| {
            if strategy == Some("only-green") {
                Some(
                    "with node-health-strategy=only-green an unknown state would stop every resource of a node",
                )
            } else if !exempts {
                Some("before Pacemaker 2.1.3 it would be moved off a red node itself, which then stays red")
            } else if !is_true(value_in(resources.outermost_meta(&one.id), "allow-unhealthy-nodes")) {
                Some(
                    "set the meta attribute allow-unhealthy-nodes=true on the clone, otherwise a red node stays red",
                )
            } else {
                None
            }
        };
        let colouring = resources.primitives().into_iter().filter(colours);
        Ok(Self {
            addresses: ConfiguredAddress::among(&cib),
            attributes: nodes.map(|node| (node.uname.clone(), node.attributes())).collect(),
            colouring: colouring.map(|one| (one.id.clone(), obstacle(one))).collect(),
        })
    }

    /// The reports on a resource by the node that wrote them; an error is a report that cannot be read.
    pub fn on(&self, resource: &str) -> impl Iterator<Item = (&str, Result<NodeReport, String>)> {
        let attribute = format!("{REPORT_ATTRIBUTE}{resource}");
        self.attributes
            .iter()
            .filter_map(move |(node, attributes)| Some((node.as_str(), attributes.get(&attribute)?.parse())))
    }
}

fn value_in<'s>(sets: &'s [AttributeSet], name: &str) -> Option<&'s str> {
    let mut pairs = sets.iter().flat_map(|set| &set.nvpair);
    pairs.find(|pair| pair.name == name).map(|pair| pair.value.as_str())
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value.map(str::to_ascii_lowercase).as_deref(), Some("true" | "yes" | "on" | "1" | "y"))
}

/// Configuration of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Instance attributes by name.
    pub parameters: BTreeMap<String, String>,
    /// Whether it supports live migration (`allow-migrate`).
    pub live: bool,
    /// Ids of constraints left over from manual moves.
    pub left_over: Vec<String>,
}

impl Configuration {
    /// Extracts the configuration of a resource from the document.
    ///
    /// # Errors
    /// The parser's message, if the XML is not of the expected form.
    pub fn parse(xml: &str, resource: &str) -> Result<Self, String> {
        Ok(Self::of(&from_str(xml).map_err(|error| error.to_string())?, resource))
    }

    fn of(cib: &Cib, resource: &str) -> Self {
        let configuration = &cib.configuration;
        let mut found = Self::default();
        let (primitive, inside) = configuration.resources.find(resource).unzip();
        if let Some(primitive) = primitive {
            let mut templates = configuration.resources.template.iter();
            let template = templates.find(|template| template.id == primitive.template);
            // Of several values of one parameter the first wins, as in Pacemaker.
            let sets =
                [Some(primitive), template].into_iter().flatten().flat_map(|one| &one.instance_attributes);
            for pair in sets.flat_map(|set| &set.nvpair) {
                found.parameters.entry(pair.name.clone()).or_insert_with(|| pair.value.clone());
            }
            found.live = is_true(value_in(&primitive.meta_attributes, "allow-migrate"));
        }
        let by_hand = configuration.constraints.rsc_location.iter().filter(|it| it.id.starts_with("cli-"));
        let about = by_hand.filter(|it| it.rsc == resource || inside.is_some_and(|inside| it.rsc == inside));
        found.left_over = about.map(|it| it.id.clone()).collect();
        found
    }
}

#[derive(Deserialize)]
struct Cib {
    #[serde(rename = "@crm_feature_set", default)]
    crm_feature_set: String,
    configuration: Sections,
    #[serde(default)]
    status: NodeStates,
}

#[derive(Default, Deserialize)]
struct NodeStates {
    #[serde(default)]
    node_state: Vec<NodeState>,
}

#[derive(Deserialize)]
struct NodeState {
    #[serde(rename = "@uname", default)]
    uname: String,
    #[serde(default)]
    transient_attributes: Vec<TransientAttributes>,
}

#[derive(Deserialize)]
struct TransientAttributes {
    #[serde(default)]
    instance_attributes: Vec<AttributeSet>,
}

impl NodeState {
    fn attributes(&self) -> BTreeMap<String, String> {
        let sets = self.transient_attributes.iter().flat_map(|one| &one.instance_attributes);
        sets.flat_map(|set| &set.nvpair).map(|pair| (pair.name.clone(), pair.value.clone())).collect()
    }
}

#[derive(Default, Deserialize)]
struct ClusterProperties {
    #[serde(default)]
    cluster_property_set: Vec<AttributeSet>,
}

#[derive(Deserialize)]
struct Sections {
    #[serde(default)]
    crm_config: ClusterProperties,
    resources: ConfiguredResources,
    constraints: Constraints,
}

/// The section `resources`, or a group, clone or bundle with resources in it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfiguredResources {
    #[serde(rename = "@id")]
    id: String,
    primitive: Vec<Primitive>,
    template: Vec<Primitive>,
    group: Vec<ConfiguredResources>,
    clone: Vec<ConfiguredResources>,
    master: Vec<ConfiguredResources>,
    bundle: Vec<ConfiguredResources>,
    meta_attributes: Vec<AttributeSet>,
}

impl ConfiguredResources {
    /// Meta attributes of the resource with this id, or of the outermost group, clone or bundle that contains it: for the node's
    /// health only that counts.
    fn outermost_meta(&self, id: &str) -> &[AttributeSet] {
        let mut inner = [&self.group, &self.clone, &self.master, &self.bundle].into_iter().flatten();
        let around = inner.find(|one| one.find(id).is_some()).map(|one| &*one.meta_attributes);
        let own = self.primitive.iter().find(|one| one.id == id).map(|one| &*one.meta_attributes);
        own.or(around).unwrap_or_default()
    }

    /// All primitives, also of groups, clones and bundles.
    fn primitives(&self) -> Vec<&Primitive> {
        let inner = [&self.group, &self.clone, &self.master, &self.bundle].into_iter().flatten();
        self.primitive.iter().chain(inner.flat_map(Self::primitives)).collect()
    }

    /// The resource with this id, and the id of the group, clone or bundle that contains it; empty if none does.
    fn find(&self, id: &str) -> Option<(&Primitive, &str)> {
        let here = self.primitive.iter().find(|primitive| primitive.id == id);
        let mut inner = [&self.group, &self.clone, &self.master, &self.bundle].into_iter().flatten();
        here.map(|primitive| (primitive, self.id.as_str())).or_else(|| inner.find_map(|inner| inner.find(id)))
    }
}

/// A primitive, or a template of one.
#[derive(Deserialize)]
struct Primitive {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@template", default)]
    template: String,
    #[serde(rename = "@class", default)]
    class: String,
    #[serde(rename = "@provider", default)]
    provider: String,
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(default)]
    instance_attributes: Vec<AttributeSet>,
    #[serde(default)]
    meta_attributes: Vec<AttributeSet>,
}

#[derive(Deserialize)]
struct AttributeSet {
    #[serde(default)]
    nvpair: Vec<NvPair>,
}

/// Name and value are empty for a reference by `id-ref`.
#[derive(Deserialize)]
struct NvPair {
    #[serde(rename = "@name", default)]
    name: String,
    #[serde(rename = "@value", default)]
    value: String,
}

#[derive(Deserialize)]
struct Constraints {
    #[serde(default)]
    rsc_location: Vec<LocationConstraint>,
}

/// `rsc` is empty for a constraint on a pattern or a set of resources.
#[derive(Deserialize)]
struct LocationConstraint {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@rsc", default)]
    rsc: String,
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
    fn every_address_of_the_cluster_is_found_also_in_groups_and_by_template() {
        let xml = CIB.replace(
            r#"<primitive id="other""#,
            r#"<primitive id="ov" class="ocf" provider="heartbeat" type="overlay-ip">
              <instance_attributes id="o"><nvpair id="o1" name="ip" value=" FD00::0:1"/></instance_attributes></primitive>
              <primitive id="web" class="systemd" type="vip"/><primitive id="other""#,
        );
        let found = ConfiguredAddress::all(&xml).unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.agent.name, one.names())).collect();
        let expected =
            [("ov", "overlay-ip", "fd00::1"), ("other", "eip", ""), ("eip", "eip", "203.0.113.10")];
        let names =
            |name: &str| [name].into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        assert_eq!(found, expected.map(|(id, agent, name)| (id, agent, names(name))));
    }

    /// [health-11]
    #[test]
    fn the_nodes_health_is_only_set_if_the_cluster_leaves_the_clone_on_a_red_node() {
        let with = |feature: &str, property: &str, meta: &str| {
            let xml = format!(
                r#"<cib crm_feature_set="{feature}"><configuration>
                <crm_config><cluster_property_set id="p">{property}</cluster_property_set></crm_config>
                <resources><clone id="health-clone"><meta_attributes id="m">{meta}</meta_attributes>
                <primitive id="health" class="ocf" provider="heartbeat" type="eip-health"><instance_attributes id="i">
                <nvpair id="i1" name="node_health" value="true"/></instance_attributes></primitive></clone></resources>
                <constraints/></configuration></cib>"#
            );
            let [(resource, obstacle)] = ClusterReports::parse(&xml).unwrap().colouring.try_into().unwrap();
            assert_eq!(resource, "health");
            obstacle.unwrap_or_default()
        };
        let allow = r#"<nvpair id="a" name="allow-unhealthy-nodes" value="true"/>"#;
        assert_eq!(with("3.14.0", "", allow), "");
        assert!(with("3.13.4", "", allow).contains("2.1.3"));
        assert!(with("3.0.14", "", allow).contains("2.1.3"));
        assert!(with("3.20.1", "", "").contains("allow-unhealthy-nodes=true"));
        let strategy = r#"<nvpair id="s" name="node-health-strategy" value="only-green"/>"#;
        assert!(with("3.16.2", strategy, allow).contains("only-green"));
    }

    #[test]
    fn reports_are_found_by_node_also_if_a_node_has_none() {
        let xml = CIB.replace(
            "</configuration></cib>",
            r##"</configuration><status><node_state id="1" uname="n1" crmd="online">
            <transient_attributes id="1"><instance_attributes id="s">
            <nvpair id="s1" name="#health-eip" value="green"/>
            <nvpair id="s2" name="eip-report-eip" value="at=7 ready=false here=no reason=no credentials"/>
            </instance_attributes></transient_attributes><lrm id="1"><lrm_resources/></lrm></node_state>
            <node_state id="2" uname="n2"/></status></cib>"##,
        );
        let found = ClusterReports::parse(&xml).unwrap();
        let [(node, report)] = <[_; 1]>::try_from(found.on("eip").collect::<Vec<_>>()).ok().unwrap();
        assert_eq!((node, report.unwrap().reason.as_str()), ("n1", "no credentials"));
        assert_eq!(found.attributes["n1"]["#health-eip"], "green");
        assert_eq!((found.attributes["n2"].len(), found.addresses.len()), (0, 2));
        assert_eq!(found.on("other").count(), 0);
    }

    #[test]
    fn only_what_moves_by_hand_have_left_counts_also_of_the_group() {
        assert_eq!(Configuration::parse(CIB, "eip").unwrap().left_over, ["cli-prefer-service"]);
        let other = Configuration::parse(CIB, "other").unwrap();
        assert_eq!((other.left_over, other.live), (vec!["cli-ban-other-on-n1".to_owned()], false));
        assert!(Configuration::parse("<cib>", "eip").is_err());
    }
}
