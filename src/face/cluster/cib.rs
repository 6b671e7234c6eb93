//! The cluster's configuration and state (the CIB), as `cibadmin --query` prints it.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{self, Attribute, INFINITY, attributes, score, undecided};
use super::node_state::NodeState;
use super::status::Status;
use super::xml::XmlElement;
use crate::ocf::agent::{self, Agent};

/// The first feature set that knows `allow-unhealthy-nodes`, in Pacemaker 2.1.3.
///
/// # Source
/// "Pacemaker Feature Set" in the wiki of the project.
const EXEMPTS_RESOURCES: [u32; 2] = [3, 14];

/// Parameters that change what an action does, and nothing that a query finds.
const OF_ACTIONS: [&str; 6] = [
    "on_stop",
    "settle_window",
    "max_backoff",
    "restore_displaced",
    "allow_reassociation",
    "allow_reassignment",
];

/// The document, and what most readers want of it.
#[derive(Debug)]
pub struct Cib {
    pub(super) document: XmlElement,
    /// What every primitive of any agent has among its instance attributes, whatever their rules: its id and the value.
    values: Vec<(String, String)>,
    /// The resources with addresses, those outside groups and clones first.
    pub addresses: Vec<ConfiguredAddress>,
    /// The state of each node that has one.
    pub nodes: BTreeMap<String, NodeState>,
}

/// A resource that one of our agents manages.
#[derive(Debug, Clone)]
pub struct ConfiguredAddress {
    /// Id of the resource in the configuration.
    pub id: String,
    /// The agent that manages it; always one of ours.
    pub agent: &'static Agent,
    /// Its parameters and meta attributes as they apply on this node.
    pub configuration: Configuration,
}

/// Configuration of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Instance attributes by name.
    pub parameters: BTreeMap<String, String>,
    /// Those whose value is only one of the candidates, because it depends on a rule that only Pacemaker can evaluate.
    pub undecided: BTreeSet<String>,
    /// Whether it supports live migration (`allow-migrate`); `None` if that depends on such a rule.
    pub live: Option<bool>,
    /// Ids of constraints left over from manual moves.
    pub left_over: Vec<String>,
    /// The nodes where it may never run, each with the id of the location constraint that says so. Those by rule are not among them.
    pub bans: BTreeMap<String, String>,
    /// The bundle that it is inside: its node is the container.
    pub bundle: Option<String>,
}

/// A primitive, and where its settings may be.
pub(super) struct PrimitivePath<'x> {
    /// Itself, and its template.
    pub own: Vec<&'x XmlElement>,
    /// The groups, clones and bundles around it, the innermost first.
    pub around: Vec<&'x XmlElement>,
}

impl<'x> PrimitivePath<'x> {
    /// The attributes in its own sets with this tag.
    fn own(&self, tag: &str) -> BTreeMap<&'x str, Attribute<'x>> {
        attributes(self.own.iter().rev().copied(), tag)
    }

    /// The values of all its instance attributes, as they are compared with addresses.
    fn values(&self) -> Vec<String> {
        let sets = self.own.iter().flat_map(|one| one.below("instance_attributes"));
        sets.flat_map(|set| set.below("nvpair")).map(|pair| without_prefix(pair.attribute("value"))).collect()
    }
}

impl ConfiguredAddress {
    /// Whether both manage one address, so that one would take it from the other. Overlay resources may share one for different
    /// route tables. False if that depends on a rule.
    pub fn is_double_of(&self, other: &Self) -> bool {
        let tables = |one: &Self| one.configuration.parameters.get("routing_table").cloned();
        let names = other.names();
        self.id != other.id
            && [self, other].iter().all(|one| one.configuration.undecided.is_empty())
            && tables(self) == tables(other)
            && self.names().iter().any(|name| names.contains(name))
    }

    /// What keeps it off a node on which it does not run: failures, with the command that ends the ban, or a constraint.
    pub fn ban(&self, status: &Status, node: &str) -> Option<String> {
        let id = &self.id;
        if status.settled_on(id) == Some(node) {
            return None;
        }
        if status.is_banned(id, node) {
            return Some(format!(
                "banned after a failure: crm_resource --cleanup --resource {id} --node {node}"
            ));
        }
        self.configuration.bans.get(node).map(|constraint| format!("banned by the constraint {constraint}"))
    }

    /// All names of its address in its parameters.
    pub fn names(&self) -> Vec<String> {
        let parameters = &self.configuration.parameters;
        self.agent.address.iter().filter_map(|name| parameters.get(*name)).map(|name| normal(name)).collect()
    }
}

impl Configuration {
    /// Replaces parameters by those that were given.
    pub fn replace(&mut self, given: BTreeMap<String, String>) {
        self.undecided.retain(|name| !given.contains_key(name));
        self.parameters.extend(given);
    }

    /// What a query needs: without undecided parameters on which its answer does not depend.
    #[must_use]
    pub fn for_query(&self) -> Self {
        let mut needed = self.clone();
        for name in OF_ACTIONS {
            if needed.undecided.remove(name) {
                needed.parameters.remove(name);
            }
        }
        needed
    }

    /// Why the parameters are unknown; `None` if all are decided.
    pub fn undecided(&self) -> Option<String> {
        self.undecided.first().map(|name| undecided(name))
    }
}

/// An address or an id in the form in which it is compared.
pub fn normal(address: &str) -> String {
    let address = address.trim();
    address.parse::<std::net::IpAddr>().map_or_else(|_| address.to_owned(), |ip| ip.to_string())
}

/// A parameter's value in the form in which it is compared with an address: without the length of a prefix.
fn without_prefix(value: &str) -> String {
    normal(value.split('/').next().unwrap_or_default())
}

impl Cib {
    /// Parses the document. `node` is called if its rules are needed: with the names of the nodes that it lists, for that of this
    /// node.
    ///
    /// # Errors
    /// The parser's message, or that it is no CIB.
    pub fn on_node(xml: &str, node: impl FnOnce(&[&str]) -> Option<String>) -> Result<Self, String> {
        let mut document = XmlElement::parse(xml)?;
        if document.all("resources").is_empty() {
            return Err("no resources in it".to_owned());
        }
        attributes::dereference(&mut document);
        let state = |node: &XmlElement| (node.attribute("uname").to_owned(), NodeState::of(node));
        let nodes = document.all("node_state").into_iter().map(state).collect();
        let mut cib = Self { document, values: Vec::new(), addresses: Vec::new(), nodes };
        let values = cib
            .primitives()
            .flat_map(|(id, one)| one.values().into_iter().map(move |value| (id.to_owned(), value)));
        cib.values = values.collect();
        if attributes::has_rules(&cib.document) {
            let nodes = cib.document.all("node").into_iter().map(|node| node.attribute("uname"));
            let node = node(&nodes.collect::<Vec<_>>());
            attributes::apply_rules(&mut cib.document, node.as_deref());
        }
        let addresses = cib.primitives().filter_map(|(id, one)| cib.address(id, &one)).collect();
        cib.addresses = addresses;
        Ok(cib)
    }

    /// The configuration of a resource with an address; without one it is empty.
    pub fn configuration(&self, resource: &str) -> Configuration {
        let found = self.addresses.iter().find(|one| one.id == resource);
        found.map(|one| one.configuration.clone()).unwrap_or_default()
    }

    /// The resource, of whatever agent, that has one of these names of an address among its parameters.
    pub fn resource_with(&self, names: &[String]) -> Option<&str> {
        let names: Vec<String> = names.iter().map(|name| without_prefix(name)).collect();
        self.values.iter().find(|(_, value)| names.contains(value)).map(|(id, _)| id.as_str())
    }

    /// Whether a resource may have this Elastic IP under its other name: as an allocation id, or as an address.
    pub fn has_other_names(&self, address: &str) -> bool {
        let is_id = |name: &str| name.starts_with("eipalloc-");
        let is_other = |value: &str| {
            if is_id(address) { value.parse::<std::net::IpAddr>().is_ok() } else { is_id(value) }
        };
        self.values.iter().any(|(_, value)| is_other(value))
    }

    fn address(&self, id: &str, primitive: &PrimitivePath<'_>) -> Option<ConfiguredAddress> {
        let is_ours =
            |one: &&&XmlElement| one.attribute("class") == "ocf" && one.attribute("provider") == "heartbeat";
        let kind = primitive.own.iter().find(is_ours)?.attribute("type");
        let agent = agent::ALL.into_iter().find(|agent| agent.name == kind)?;
        let live = self.meta(primitive, "allow-migrate");
        let live = live.map_or(Some(false), |live| live.decided().map(|live| is_true(Some(live))));
        let mut configuration = Configuration { live, ..Configuration::default() };
        for (name, attribute) in primitive.own("instance_attributes") {
            configuration.parameters.insert(name.to_owned(), attribute.value.to_owned());
            if !attribute.is_decided {
                configuration.undecided.insert(name.to_owned());
            }
        }
        let bundle = primitive.around.iter().find(|one| one.name == "bundle");
        configuration.bundle = bundle.map(|bundle| bundle.attribute("id").to_owned());
        let inside = primitive.around.first().map(|group| group.attribute("id"));
        for it in self.document.all("rsc_location") {
            let (name, about) = (it.attribute("id").to_owned(), it.attribute("rsc"));
            if is_ban(it) && (about == id || primitive.around.iter().any(|one| one.attribute("id") == about))
            {
                configuration.bans.insert(it.attribute("node").to_owned(), name.clone());
            }
            if name.starts_with("cli-") && (about == id || Some(about) == inside) {
                configuration.left_over.push(name);
            }
        }
        Some(ConfiguredAddress { id: id.to_owned(), agent, configuration })
    }

    /// The resources of `eip-health` that set the node's health, each with the reason why they must not.
    pub fn colouring(&self) -> Vec<(String, Option<&'static str>)> {
        let feature = self.document.attribute("crm_feature_set").split('.');
        let feature = feature.map(|part| part.parse().unwrap_or_default()).take(2).collect::<Vec<u32>>();
        let is_set = |set: BTreeMap<&str, Attribute<'_>>, name| {
            is_true(set.get(name).and_then(|attribute| attribute.decided()))
        };
        let colours = |one: &PrimitivePath<'_>| {
            one.own.iter().any(|own| own.attribute("type") == agent::EIP_HEALTH.name)
                && is_set(one.own("instance_attributes"), "node_health")
        };
        // For the node's health only the meta attributes of the outermost group or clone count.
        let is_exempt = |one: &PrimitivePath<'_>| {
            let set = match one.around.last() {
                Some(outermost) => attributes([*outermost], "meta_attributes"),
                None => one.own("meta_attributes"),
            };
            is_set(set, "allow-unhealthy-nodes")
        };
        let obstacle = |one: &PrimitivePath<'_>| {
            if self.property("node-health-strategy") == Some("only-green") {
                Some(
                    "with node-health-strategy=only-green an unknown state would stop every resource of a node",
                )
            } else if feature.as_slice() < EXEMPTS_RESOURCES.as_slice() {
                Some("before Pacemaker 2.1.3 it would be moved off a red node itself, which then stays red")
            } else if !is_exempt(one) {
                Some(
                    "set the meta attribute allow-unhealthy-nodes=true on the clone, otherwise a red node stays red",
                )
            } else {
                None
            }
        };
        let colouring = self.primitives().filter(|(_, one)| colours(one));
        colouring.map(|(id, one)| (id.to_owned(), obstacle(&one))).collect()
    }

    /// All primitives by id.
    fn primitives(&self) -> impl Iterator<Item = (&str, PrimitivePath<'_>)> {
        let all = self.document.all("primitive").into_iter().map(|one| one.attribute("id"));
        all.filter_map(|id| Some((id, self.primitive(id)?)))
    }

    pub(super) fn primitive(&self, id: &str) -> Option<PrimitivePath<'_>> {
        let resources = self.document.all("resources").into_iter().next()?;
        let mut around = path_to(resources, id)?;
        let own = around.remove(0);
        let templates = self.document.all("template");
        let template = templates.into_iter().find(|one| one.attribute("id") == own.attribute("template"));
        Some(PrimitivePath { own: [own].into_iter().chain(template).collect(), around })
    }

    /// A meta attribute. A group's counts for its members, and a default for all.
    pub(super) fn meta<'x>(&'x self, primitive: &PrimitivePath<'x>, name: &str) -> Option<Attribute<'x>> {
        let own = primitive.own("meta_attributes").remove(name);
        let mut others = primitive.around.iter().copied().chain(self.document.all("rsc_defaults"));
        own.or_else(|| others.find_map(|one| attributes([one], "meta_attributes").remove(name)))
    }

    /// The value of a property of the cluster.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        let all = attributes(self.document.all("crm_config"), "cluster_property_set").remove(name);
        all.map(|property| property.value)
    }
}

/// Whether a location constraint keeps a resource off its node, whatever else is in favour of that node.
fn is_ban(constraint: &XmlElement) -> bool {
    let is_of_start = ["", "Started"].contains(&constraint.attribute("role"));
    is_of_start
        && !constraint.attribute("node").is_empty()
        && score(constraint.attribute("score")) <= -INFINITY
}

/// Whether Pacemaker takes it for true.
fn is_true(value: Option<&str>) -> bool {
    matches!(value.map(str::to_ascii_lowercase).as_deref(), Some("true" | "yes" | "on" | "1" | "y"))
}

/// The primitive with this id, followed by the groups and clones around it, the innermost first.
fn path_to<'x>(element: &'x XmlElement, id: &str) -> Option<Vec<&'x XmlElement>> {
    element.children.iter().find_map(|child| {
        if child.name == "primitive" && child.attribute("id") == id {
            return Some(vec![child]);
        }
        let mut path = path_to(child, id)?;
        path.push(child);
        Some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Cib {
        /// Parses a document on a node whose name is not known.
        pub(crate) fn parse(xml: &str) -> Result<Self, String> {
            Self::on_node(xml, |_| None)
        }
    }

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
        let found = Cib::parse(CIB).unwrap().configuration("eip");
        let parameters: Vec<_> =
            found.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parameters, [("elastic_ip", "203.0.113.10"), ("region", "eu-west-1")]);
        assert_eq!(found.live, Some(true));
        let meta = r#"<meta_attributes id="m"><nvpair id="m1" name="allow-migrate" value="true"/></meta_attributes>"#;
        let group = r#"<group id="service">"#;
        let of_group = CIB.replace(meta, "").replace(group, &format!("{group}{meta}"));
        assert_eq!(Cib::parse(&of_group).unwrap().configuration("eip").live, Some(true));
    }

    #[test]
    fn every_address_of_the_cluster_is_found_also_in_groups_and_by_template() {
        let xml = CIB.replace(
            r#"<primitive id="other""#,
            r#"<primitive id="ov" class="ocf" provider="heartbeat" type="overlay-ip">
              <instance_attributes id="o"><nvpair id="o1" name="ip" value=" FD00::0:1"/></instance_attributes></primitive>
              <primitive id="web" class="systemd" type="vip"/><primitive id="other""#,
        );
        let found = Cib::parse(&xml).unwrap().addresses;
        let found: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.agent.name, one.names())).collect();
        let expected =
            [("ov", "overlay-ip", "fd00::1"), ("other", "eip", ""), ("eip", "eip", "203.0.113.10")];
        let names =
            |name: &str| [name].into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        assert_eq!(found, expected.map(|(id, agent, name)| (id, agent, names(name))));
    }

    /// A standby's `eip-health` reported that the private address of the other node is not here.
    ///
    /// [health-13]
    #[test]
    fn parameters_by_rule_are_those_of_this_node_and_undecided_ones_are_marked() {
        let set = |id: &str, score: u8, rule: &str, pair: &str| {
            let pair = pair.split_once('=').unwrap();
            format!(
                r#"<instance_attributes id="{id}" score="{score}">{rule}
                <nvpair id="{id}-1" name="{}" value="{}"/></instance_attributes>"#,
                pair.0, pair.1
            )
        };
        let on = |node: &str| {
            format!(
                r##"<rule id="r-{node}" score="0"><expression id="e-{node}" attribute="#uname" operation="eq" value="{node}"/></rule>"##
            )
        };
        let date =
            r#"<rule id="r" score="0"><date_expression id="d" operation="gt" start="2030-01-01"/></rule>"#;
        let xml = |rules: [&str; 2]| {
            format!(
                r#"<cib><configuration><nodes><node id="1" uname="nodea"/><node id="2" uname="nodeb"/></nodes><resources>
                <primitive id="eip" class="ocf" provider="heartbeat" type="eip">{}{}<instance_attributes id-ref="ic"/></primitive>
                <primitive id="old" class="ocf" provider="heartbeat" type="Dummy">{}</primitive>
                </resources><constraints/></configuration></cib>"#,
                set("ia", 2, rules[0], "private_ip_address=10.0.1.11"),
                set("ib", 1, rules[1], "private_ip_address=10.0.1.30"),
                set("ic", 0, "", "elastic_ip=203.0.113.10"),
            )
        };
        let by_node = xml([&on("nodea"), &on("nodeb")]);
        for (node, private_ip) in [("nodea", "10.0.1.11"), ("nodeb", "10.0.1.30")] {
            let cib = Cib::on_node(&by_node, |nodes| {
                assert_eq!(nodes, ["nodea", "nodeb"]);
                Some(node.to_owned())
            });
            let cib = cib.unwrap();
            for on_any_node in ["10.0.1.11", "10.0.1.30", "10.0.1.30/24"] {
                assert_eq!(cib.resource_with(&[on_any_node.to_owned()]), Some("eip"));
            }
            let found = cib.configuration("eip");
            let expected = [("elastic_ip", "203.0.113.10"), ("private_ip_address", private_ip)];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(found.parameters, BTreeMap::from(expected));
            assert_eq!(found.undecided(), None);
        }
        let mut found = Cib::parse(&xml([date, ""])).unwrap().configuration("eip");
        let expected = "private_ip_address depends on a rule that only Pacemaker can evaluate";
        assert_eq!(found.undecided().as_deref(), Some(expected));
        found.replace(BTreeMap::from([("private_ip_address".to_owned(), "10.0.1.12".to_owned())]));
        assert_eq!((found.undecided(), found.parameters["private_ip_address"].as_str()), (None, "10.0.1.12"));
        assert_eq!(found.for_query(), found);
        let on_stop = r#"<nvpair id="n" name="on_stop" value="leave"/>"#;
        let by_date =
            xml([date, ""]).replacen("<nvpair id=\"ia-1\"", &format!("{on_stop}<nvpair id=\"ia-1\""), 1);
        let by_date = Cib::parse(&by_date).unwrap().configuration("eip");
        let (both, one) = (["on_stop", "private_ip_address"], ["private_ip_address"]);
        assert!(by_date.undecided.iter().eq(both) && by_date.for_query().undecided.iter().eq(one));
        assert!(!by_date.for_query().parameters.contains_key("on_stop"));
        let overruled = Cib::parse(&xml(["", date])).unwrap().configuration("eip");
        assert_eq!(overruled.undecided(), None, "the rule does not matter: a higher score precedes it");
    }

    #[test]
    fn a_template_yields_to_its_primitive_only_if_its_score_is_not_higher() {
        let own = |cib: &str| Cib::parse(cib).unwrap().configuration("eip").parameters["elastic_ip"].clone();
        assert_eq!(own(CIB), "203.0.113.10");
        let higher =
            CIB.replace(r#"<instance_attributes id="a">"#, r#"<instance_attributes id="a" score="1">"#);
        assert_eq!(own(&higher), "203.0.113.99");
    }

    #[test]
    fn a_meta_attribute_by_a_rule_that_cannot_be_evaluated_is_unknown() {
        let rule =
            r#"<rule id="r" score="0"><date_expression id="d" operation="gt" start="2030-01-01"/></rule>"#;
        let with = CIB.replace(r#"<meta_attributes id="m">"#, &format!(r#"<meta_attributes id="m">{rule}"#));
        assert_eq!(Cib::parse(&with).unwrap().configuration("eip").live, None);
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
            let [(resource, obstacle)] = Cib::parse(&xml).unwrap().colouring().try_into().unwrap();
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
            <nvpair id="s2" name="eip-report-eip" value="at=7 ready=false here=no reason=no &quot;credentials&quot;"/>
            </instance_attributes></transient_attributes><lrm id="1"><lrm_resources/></lrm></node_state>
            <node_state id="2" uname="n2"/></status></cib>"##,
        );
        let found = Cib::parse(&xml).unwrap();
        let report = found.nodes["n1"].report("eip").unwrap();
        assert_eq!(report.unwrap().reason, "no \"credentials\"");
        assert_eq!(found.nodes["n1"].attributes["#health-eip"], "green");
        assert_eq!((found.nodes["n2"].attributes.len(), found.addresses.len()), (0, 2));
        assert!(found.nodes.values().all(|node| node.report("other").is_none()));
        assert_eq!(found.nodes["n2"].report("eip"), None);
    }

    #[test]
    fn resources_with_one_address_are_doubles_unless_their_route_tables_differ() {
        let one = |id: &str, parameters: &[(&str, &str)]| ConfiguredAddress {
            id: id.to_owned(),
            agent: if parameters.len() > 1 { &agent::OVERLAY_IP } else { &agent::EIP },
            configuration: Configuration {
                parameters: parameters
                    .iter()
                    .map(|(name, value)| ((*name).into(), (*value).into()))
                    .collect(),
                ..Configuration::default()
            },
        };
        let eip = one("a", &[("elastic_ip", "203.0.113.10")]);
        assert!(eip.is_double_of(&one("b", &[("elastic_ip", " 203.0.113.10")])));
        assert!(!eip.is_double_of(&eip));
        assert!(!eip.is_double_of(&one("b", &[("elastic_ip", "203.0.113.11")])));
        let mut by_rule = one("b", &[("elastic_ip", "203.0.113.10")]);
        by_rule.configuration.undecided.insert("elastic_ip".to_owned());
        assert!(!eip.is_double_of(&by_rule));
        let overlay = |id: &str, table: &str| one(id, &[("ip", "192.168.10.1"), ("routing_table", table)]);
        assert!(overlay("a", "rtb-1").is_double_of(&overlay("b", "rtb-1")));
        assert!(!overlay("a", "rtb-1").is_double_of(&overlay("b", "rtb-2")));
    }

    #[test]
    fn a_resource_inside_a_bundle_knows_it() {
        assert_eq!(Cib::parse(CIB).unwrap().configuration("eip").bundle, None);
        let inside =
            CIB.replace(r#"<group id="service">"#, r#"<bundle id="web">"#).replace("</group>", "</bundle>");
        assert_eq!(Cib::parse(&inside).unwrap().configuration("eip").bundle.as_deref(), Some("web"));
    }

    #[test]
    fn a_node_that_a_constraint_bans_is_known_also_if_that_is_about_the_group() {
        let bans = |constraint: &str| {
            let xml =
                CIB.replace("<constraints>", &format!("<constraints><rsc_location id=\"x\" {constraint}/>"));
            Cib::parse(&xml).unwrap().configuration("eip").bans.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(bans(r#"rsc="eip" node="n3" score="-INFINITY""#), ["n3"]);
        assert_eq!(bans(r#"rsc="service" role="Started" node="n3" score="-1000000""#), ["n3"]);
        for no_ban in [
            r#"rsc="eip" node="n3" score="-1000""#,
            r#"rsc="eip" node="n3" role="Promoted" score="-INFINITY""#,
            r#"rsc="other" node="n3" score="-INFINITY""#,
        ] {
            assert_eq!(bans(no_ban), [""; 0], "{no_ban}");
        }
    }

    /// `status` and `check` called a node ready on which the cluster would not start the resource.
    #[test]
    fn a_banned_node_is_named_with_the_reason_unless_it_runs_the_resource() {
        let status = |failed_on: &str, runs_on: &str| {
            let xml = format!(
                r#"<crm_mon><nodes><node name="n1"/></nodes><resources><resource id="other" role="Started">{runs_on}</resource>
                </resources><node_history><node name="{failed_on}"><resource_history id="other" fail-count="INFINITY"/></node>
                </node_history></crm_mon>"#
            );
            Status::parse(&xml).unwrap()
        };
        let cib = Cib::parse(CIB).unwrap();
        let other = cib.addresses.iter().find(|one| one.id == "other").unwrap();
        let by_failure = "banned after a failure: crm_resource --cleanup --resource other --node n2";
        assert_eq!(other.ban(&status("n2", ""), "n2").as_deref(), Some(by_failure));
        assert_eq!(other.ban(&status("n1", ""), "n2"), None);
        assert_eq!(other.ban(&status("n2", r#"<node name="n2"/>"#), "n2"), None);
        let by_constraint = "banned by the constraint cli-ban-other-on-n1";
        assert_eq!(other.ban(&status("n2", ""), "n1").as_deref(), Some(by_constraint));
    }

    #[test]
    fn only_what_moves_by_hand_have_left_counts_also_of_the_group() {
        assert_eq!(Cib::parse(CIB).unwrap().configuration("eip").left_over, ["cli-prefer-service"]);
        let other = Cib::parse(CIB).unwrap().configuration("other");
        assert_eq!(other.bans, BTreeMap::from([("n1".to_owned(), "cli-ban-other-on-n1".to_owned())]));
        assert_eq!((other.left_over, other.live), (vec!["cli-ban-other-on-n1".to_owned()], Some(false)));
        assert!(Cib::parse("<cib>").is_err());
    }
}
