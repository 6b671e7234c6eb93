//! The permissions that the agents need, as an IAM policy: for one address, and only for the calls of the actions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::World;
use crate::base::deadline::Deadline;
use crate::base::ids::AllocationId;
use crate::base::retry;
use crate::cloud::{Ec2 as _, Ec2Error, ImdsError, Selector};
use crate::ocf::agent::{self, Agent};
use crate::resource::error::Error;

/// Scope of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyScope {
    /// AWS partition, one of [`partitions`].
    pub partition: String,
    /// Region of the address, such as `eu-west-1`.
    pub region: String,
    /// Account that owns address, instances and interfaces, twelve digits.
    pub account: String,
    /// Tags, key and value, that instances and interfaces must all have.
    pub tags: Vec<(String, String)>,
    /// What the policy is for, by the agent's name: the ids of the Elastic IPs or route tables, of which `*` means all. A private
    /// address has none.
    pub needs: BTreeMap<&'static str, Vec<String>>,
    /// The identity that calls about route tables are made with.
    pub route_calls: RouteCalls,
}

/// The identity for calls about route tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteCalls {
    /// That of all other calls.
    Same,
    /// This role (`routing_table_role`); the policy is for the identity that assumes it.
    By(String),
    /// This role, and the policy is for it.
    Of(String),
}

/// A policy in IAM's JSON format.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Name of the statement: letters and digits only, as IAM requires.
    pub sid: &'static str,
    effect: &'static str,
    /// The calls that it allows.
    pub action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    /// Explanation for the reader.
    #[serde(skip)]
    pub purpose: &'static str,
}

impl Statement {
    /// Whether it is limited to objects with the tags.
    pub fn has_condition(&self) -> bool {
        self.condition.is_some()
    }
}

/// A condition on the tags of the resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    string_equals: BTreeMap<String, String>,
}

/// What the actions of a statement are limited to.
enum StatementObjects {
    /// Nothing: EC2 cannot limit them.
    Any,
    /// The objects that the policy is for, of this type.
    Needed(&'static str),
    /// Objects of these types, if they have the tags.
    Tagged(&'static [&'static str]),
}

/// A statement that the resources of an agent need.
struct Need {
    agent: &'static Agent,
    sid: &'static str,
    action: &'static [&'static str],
    objects: StatementObjects,
    /// Whether the calls are made with `routing_table_role`, if there is one.
    about_tables: bool,
    purpose: &'static str,
}

/// What every kind of address needs.
///
/// # Source
/// Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2": the Describe calls
/// take no resource; associating takes address, instance and interface; disassociating, address and interface; the
/// calls for private addresses, the interface; replacing a route, its table.
const NEEDS: [Need; 8] = [
    Need {
        agent: &agent::EIP,
        sid: "FindHolder",
        action: &["ec2:DescribeAddresses"],
        objects: StatementObjects::Any,
        about_tables: false,
        purpose: "Queries the holder of the address. EC2 cannot limit this to one address.",
    },
    Need {
        agent: &agent::EIP,
        sid: "MoveAddress",
        action: &["ec2:AssociateAddress", "ec2:DisassociateAddress"],
        objects: StatementObjects::Needed("elastic-ip"),
        about_tables: false,
        purpose: "Take and release the address: no address other than those listed.",
    },
    Need {
        agent: &agent::EIP,
        sid: "MoveToNodes",
        action: &["ec2:AssociateAddress", "ec2:DisassociateAddress"],
        objects: StatementObjects::Tagged(&["instance/*", "network-interface/*"]),
        about_tables: false,
        purpose: "The other side of the same calls: the instances and interfaces that the address may be on. EC2 requires both.",
    },
    Need {
        agent: &agent::VIP,
        sid: "FindPrivateAddress",
        action: &["ec2:DescribeNetworkInterfaces"],
        objects: StatementObjects::Any,
        about_tables: false,
        purpose: "Queries which interface has the private address. EC2 cannot limit this.",
    },
    Need {
        agent: &agent::VIP,
        sid: "MovePrivateAddress",
        action: &["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
        objects: StatementObjects::Tagged(&["network-interface/*"]),
        about_tables: false,
        purpose: "Moves a secondary private address between interfaces.",
    },
    Need {
        agent: &agent::OVERLAY_IP,
        sid: "FindInterfaces",
        action: &["ec2:DescribeNetworkInterfaces"],
        objects: StatementObjects::Any,
        about_tables: false,
        purpose: "Queries whether the interface takes traffic for the address. EC2 cannot limit this.",
    },
    Need {
        agent: &agent::OVERLAY_IP,
        sid: "FindRoutes",
        action: &["ec2:DescribeRouteTables"],
        objects: StatementObjects::Any,
        about_tables: true,
        purpose: "Queries where the route tables lead. EC2 cannot limit this.",
    },
    Need {
        agent: &agent::OVERLAY_IP,
        sid: "MoveRoutes",
        action: &["ec2:ReplaceRoute"],
        objects: StatementObjects::Needed("route-table"),
        about_tables: true,
        purpose: "Points existing routes of these tables to another interface. Creates and deletes none.",
    },
];

impl PolicyScope {
    /// Builds the policy.
    pub fn policy(&self) -> Policy {
        Policy { version: "2012-10-17", statement: self.statements() }
    }

    /// The statements for what the policy is for.
    pub fn statements(&self) -> Vec<Statement> {
        let is_for = |need: &&Need| match self.route_calls {
            RouteCalls::Same => true,
            RouteCalls::By(_) => !need.about_tables,
            RouteCalls::Of(_) => need.about_tables,
        };
        let statement = |need: &Need| Some(self.statement(need, self.needs.get(need.agent.name)?));
        let mut statements: Vec<_> = NEEDS.iter().filter(is_for).filter_map(statement).collect();
        if let RouteCalls::By(role) = &self.route_calls {
            statements.push(Statement {
                sid: "AssumeRoutingTableRole",
                effect: "Allow",
                action: vec!["sts:AssumeRole"],
                resource: vec![role.clone()],
                condition: None,
                purpose: "Assumes the role with which all calls about route tables are made.",
            });
        }
        statements
    }

    fn statement(&self, need: &Need, ids: &[String]) -> Statement {
        let (resource, tagged) = match need.objects {
            StatementObjects::Any => (vec!["*".to_owned()], false),
            StatementObjects::Needed(object) => {
                (ids.iter().map(|id| self.arn(&format!("{object}/{id}"))).collect(), false)
            }
            StatementObjects::Tagged(objects) => {
                (objects.iter().map(|object| self.arn(object)).collect(), true)
            }
        };
        let tag = |(key, value): &(String, String)| (format!("aws:ResourceTag/{key}"), value.clone());
        let tags = || Condition { string_equals: self.tags.iter().map(tag).collect() };
        Statement {
            sid: need.sid,
            effect: "Allow",
            action: need.action.to_vec(),
            resource,
            condition: (tagged && !self.tags.is_empty()).then(tags),
            purpose: need.purpose,
        }
    }

    fn arn(&self, what: &str) -> String {
        format!("arn:{}:ec2:{}:{}:{what}", self.partition, self.region, self.account)
    }
}

/// Every partition but `aws`, with the beginning of its regions' names.
///
/// # Source
/// AWS SDKs, `partitions.json`: the patterns of region names.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("eusc-", "aws-eusc"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
];

/// The partition of a region.
pub fn partition_of(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// The names of all partitions.
pub fn partitions() -> impl Iterator<Item = &'static str> {
    std::iter::once("aws").chain(PARTITIONS.into_iter().map(|(_, partition)| partition))
}

/// An item of instance metadata.
///
/// # Errors
/// [`Error::Imds`] if instance metadata does not have it, or does not answer by the deadline.
pub async fn from_metadata<T>(
    deadline: &Deadline,
    query: impl AsyncFnMut() -> Result<T, ImdsError>,
) -> Result<T, Error> {
    let cut_off = || ImdsError::cut_off("meta-data");
    retry::until(deadline, PAUSE, cut_off, query).await.map_err(Error::Imds)
}

/// The allocation id of an address according to EC2.
///
/// # Errors
/// [`Error::Ec2`] with EC2's reason.
pub async fn allocation<W: World>(
    world: &W,
    which: &Selector,
    deadline: &Deadline,
) -> Result<AllocationId, Error> {
    let cut_off = || Ec2Error::cut_off("DescribeAddresses", which);
    let address = retry::until(deadline, PAUSE, cut_off, async || world.ec2().describe(which).await).await?;
    Ok(address.allocation)
}

/// Longest pause between two attempts: a person is waiting.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> PolicyScope {
        PolicyScope {
            partition: "aws".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            tags: Vec::new(),
            needs: BTreeMap::from([("eip", vec!["eipalloc-0123456789abcdef0".to_owned()])]),
            route_calls: RouteCalls::Same,
        }
    }

    #[test]
    fn routes_of_the_given_tables_can_be_replaced_and_no_other_call_changes_them() {
        let needs = BTreeMap::from([("overlay-ip", vec!["rtb-0123456789abcdef0".to_owned()])]);
        let policy = PolicyScope { needs, ..scope() }.policy();
        let [interfaces, find, replace] = policy.statement.as_slice() else { panic!("{policy:?}") };
        assert_eq!(interfaces.action, ["ec2:DescribeNetworkInterfaces"]);
        assert_eq!(find.action, ["ec2:DescribeRouteTables"]);
        assert_eq!((replace.sid, &replace.action[..]), ("MoveRoutes", &["ec2:ReplaceRoute"][..]));
        assert_eq!(
            replace.resource,
            ["arn:aws:ec2:eu-west-1:123456789012:route-table/rtb-0123456789abcdef0"]
        );
    }

    #[test]
    fn with_a_role_for_route_tables_the_two_policies_share_no_call() {
        let role = "arn:aws:iam::210987654321:role/cluster-routes".to_owned();
        let needs = BTreeMap::from([("overlay-ip", vec!["*".to_owned()])]);
        let calls = |route_calls| {
            let scope = PolicyScope { needs: needs.clone(), route_calls, ..scope() };
            scope.statements().into_iter().flat_map(|statement| statement.action).collect::<Vec<_>>()
        };
        let nodes = ["ec2:DescribeNetworkInterfaces", "sts:AssumeRole"];
        assert_eq!(calls(RouteCalls::By(role.clone())), nodes);
        assert_eq!(calls(RouteCalls::Of(role)), ["ec2:DescribeRouteTables", "ec2:ReplaceRoute"]);
    }

    #[test]
    fn one_address_is_all_that_can_be_moved() {
        let policy = serde_json::to_value(scope().policy()).unwrap();
        assert_eq!(
            policy,
            serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "FindHolder",
                        "Effect": "Allow",
                        "Action": ["ec2:DescribeAddresses"],
                        "Resource": ["*"],
                    },
                    {
                        "Sid": "MoveAddress",
                        "Effect": "Allow",
                        "Action": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
                        "Resource": ["arn:aws:ec2:eu-west-1:123456789012:elastic-ip/eipalloc-0123456789abcdef0"],
                    },
                    {
                        "Sid": "MoveToNodes",
                        "Effect": "Allow",
                        "Action": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
                        "Resource": [
                            "arn:aws:ec2:eu-west-1:123456789012:instance/*",
                            "arn:aws:ec2:eu-west-1:123456789012:network-interface/*",
                        ],
                    },
                ],
            })
        );
    }

    #[test]
    fn tags_limit_instances_and_interfaces_but_not_the_address() {
        let tags = vec![("cluster".to_owned(), "web".to_owned())];
        let mut scope = PolicyScope { tags, ..scope() };
        scope.needs.insert("vip", Vec::new());
        let conditions: Vec<_> = scope
            .statements()
            .into_iter()
            .map(|statement| (statement.sid, statement.condition.is_some()))
            .collect();
        assert_eq!(
            conditions,
            [
                ("FindHolder", false),
                ("MoveAddress", false),
                ("MoveToNodes", true),
                ("FindPrivateAddress", false),
                ("MovePrivateAddress", true)
            ]
        );
        let text = serde_json::to_string(&scope.policy()).unwrap();
        assert!(text.contains(r#""Condition":{"StringEquals":{"aws:ResourceTag/cluster":"web"}}"#), "{text}");
    }

    #[test]
    fn regions_are_in_their_partitions() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(partition_of(region), partition, "{region}");
        }
    }
}
