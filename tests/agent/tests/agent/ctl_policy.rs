//! `eipctl policy`: the minimum that a node's role needs.

use agent_tests::{ROUTE_TABLE, RunOutcome, SimulatedWorld, refusing};
use aws_sim::ImdsState;

use crate::ctl::{configured, primitive};

const ALLOCATION: &str = "eipalloc-0123456789abcdef0";

fn resources(outcome: &RunOutcome) -> Vec<&str> {
    let arns = outcome.stdout.split('"').filter(|part| part.starts_with("arn:"));
    arns.collect()
}

#[test]
fn with_everything_on_the_command_line_nothing_is_queried() {
    let (_world, [a]) = SimulatedWorld::new();
    let given = [ALLOCATION, "--region", "cn-north-1", "--account", "210987654321"];
    // tests/docs compares its statements with those in packaging/iam.
    let outcome = a.ctl("policy", &given).ok().no_requests();
    assert_eq!(outcome.stderr, "");
    outcome.prints(format!("arn:aws-cn:ec2:cn-north-1:210987654321:elastic-ip/{ALLOCATION}"));
}

#[test]
fn what_is_not_given_is_found_out() {
    let (world, [a]) = SimulatedWorld::new();
    let outcome = a.ctl("policy", &["203.0.113.10"]).ok().wrote_nothing();
    let allocation = world.address.allocation_id.to_string();
    let arns = resources(&outcome);
    assert!(arns[0].starts_with("arn:aws:ec2:eu-west-1:") && arns[0].ends_with(&allocation), "{arns:?}");
    let account = arns[0].split(':').nth(4).unwrap();
    assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{arns:?}");
}

#[test]
fn a_partition_further_addresses_and_private_ones_can_be_given() {
    let (_world, [a]) = SimulatedWorld::new();
    let also = ["--vip", "--also", "eipalloc-0aaaaaaaaaaaaaaa0", "--partition", "aws"];
    let given = ["--region", "us-gov-west-1", "--account", "210987654321"];
    let policy = |arguments: &[&str]| a.ctl("policy", &given).arguments(arguments);
    let outcome = policy(&[ALLOCATION]).arguments(&also).ok().no_requests();
    let outcome = outcome.prints("ec2:AssignPrivateIpAddresses").prints("arn:aws:ec2:us-gov-west-1:");
    outcome.prints("210987654321:elastic-ip/eipalloc-0aaaaaaaaaaaaaaa0");
    let explained = policy(&[ALLOCATION, "--tag", "cluster=web", "--explain"]).ok();
    explained.prints("MoveAddress: ec2:AssociateAddress, ec2:DisassociateAddress").prints("tag");
    let alone = policy(&["--vip"]).ok().no_requests();
    assert!(!alone.stdout.contains("AssociateAddress"), "{}", alone.stdout);
    let refused = policy(&["--vip", "--partition", "aws-isob"]).expect(2);
    refused
        .complains("eipctl", "--partition aws-isob: expected aws, aws-cn, aws-us-gov, aws-eusc, aws-iso, ");
}

#[test]
fn tags_that_would_limit_nothing_or_contradict_each_other_are_refused() {
    let (_world, [a]) = SimulatedWorld::new();
    let policy = |arguments: &[&str]| {
        let run = a.ctl("policy", arguments);
        run.arguments(&["--region", "eu-west-1", "--account", "210987654321", "--explain"])
    };
    let tables = ["--route-table", ROUTE_TABLE, "--tag", "cluster=web"];
    policy(&tables).expect(2).complains("eipctl", "--tag limits instances and interfaces, and no statement");
    for second in ["Name=two", "name=one"] {
        let refused = policy(&["--vip", "--tag", "Name=one", "--tag", second]).expect(2);
        refused.complains("eipctl", "is given twice, a tag has one value");
    }
    let both = policy(&["--vip", "--route-table", ROUTE_TABLE, "--tag", "cluster=web"]).ok();
    both.prints("\nMovePrivateAddress: only instances and interfaces with the tags are allowed.");
}

#[test]
fn every_route_table_can_be_allowed_and_the_message_says_so() {
    let (world, [a]) = SimulatedWorld::new();
    let policy = |arguments: &[&str]| {
        a.ctl("policy", arguments).arguments(&["--region", "eu-west-1", "--account", "210987654321"])
    };
    policy(&["--route-table", "auto"]).expect(2).complains("eipctl", "of 0-9a-f, or *\n");
    let resource = [("ip", "192.168.10.1"), ("routing_table", ROUTE_TABLE)];
    let resource = primitive("ip", "overlay-ip", &resource);
    let tables = |arguments: &[&str]| {
        let outcome = configured(&world, policy(arguments), &resource).ok().no_requests();
        resources(&outcome)
            .iter()
            .filter_map(|arn| Some(arn.split_once("route-table/")?.1.to_owned()))
            .collect::<Vec<_>>()
    };
    // Options are allowed in addition to what is configured.
    let another = "rtb-0fedcba9876543210";
    assert_eq!(tables(&["192.168.10.1", "--route-table", another]), [another, ROUTE_TABLE]);
    assert_eq!(tables(&["192.168.10.1", "--route-table", ROUTE_TABLE]), [ROUTE_TABLE]);
    assert_eq!(tables(&["192.168.10.1", "--route-table", "*"]), ["*"]);
    assert_eq!(tables(&["192.168.10.2", "--route-table", "*"]), ["*"]);
}

#[test]
fn the_account_of_an_assumed_role_owns_the_address() {
    let (_world, [a]) = SimulatedWorld::new();
    let role = "arn:aws:iam::555555555555:role/net";
    let outcome =
        a.ctl("policy", &[ALLOCATION, "--region", "eu-west-1", "--role-arn", role]).ok().no_requests();
    assert!(outcome.stdout.contains(":555555555555:elastic-ip/"), "{}", outcome.stdout);
    let explained = a.ctl("policy", &[ALLOCATION, "--region", "eu-west-1", "--role-arn", role, "--explain"]);
    explained.ok().prints("The role of the nodes needs only sts:AssumeRole on it");
}

#[test]
fn the_region_and_role_of_the_clusters_resource_count() {
    let (world, [a]) = SimulatedWorld::new();
    let role = "arn:aws:iam::555555555555:role/net";
    let resource = [("allocation_id", ALLOCATION), ("region", "eu-central-1"), ("role_arn", role)];
    let outcome =
        configured(&world, a.ctl("policy", &[]), &primitive("ip", "eip", &resource)).ok().no_requests();
    assert!(
        outcome.stdout.contains("arn:aws:ec2:eu-central-1:555555555555:elastic-ip/"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_shared_vpc_needs_two_policies() {
    const ROLE: &str = "arn:aws:iam::210987654321:role/cluster-routes";
    let (world, [a]) = SimulatedWorld::new();
    let resource = [("ip", "192.168.10.1"), ("routing_table", ROUTE_TABLE), ("routing_table_role", ROLE)];
    let resource = primitive("ip", "overlay-ip", &resource);
    let given = ["--region", "eu-west-1", "--account", "123456789012"];
    let policy =
        |arguments: &[&str]| configured(&world, a.ctl("policy", arguments).arguments(&given), &resource);
    let table = format!("arn:aws:ec2:eu-west-1:210987654321:route-table/{ROUTE_TABLE}");
    let nodes = policy(&["192.168.10.1"]).ok().no_requests();
    assert_eq!(resources(&nodes), [ROLE]);
    let nodes = nodes.prints("sts:AssumeRole").prints("ec2:DescribeNetworkInterfaces");
    let nodes = nodes.says("needs a policy of its own, which --for-routing-table-role prints");
    assert!(!nodes.stdout.contains("Route\""), "{}", nodes.stdout);
    let role = policy(&["192.168.10.1", "--for-routing-table-role"]).ok().no_requests();
    assert_eq!((resources(&role), role.stderr.as_str()), (vec![table.as_str()], ""));
    let role = role.prints("ec2:DescribeRouteTables").prints("ec2:ReplaceRoute");
    assert!(!role.stdout.contains("sts:"), "{}", role.stdout);
    let explained = policy(&["192.168.10.1", "--explain"]).ok();
    explained.prints("sts:AssumeRole").prints("a trust policy that names the role of the nodes.");
    // Without the cluster, by the options.
    let by_options = ["--route-table", ROUTE_TABLE, "--routing-table-role", ROLE];
    assert_eq!(policy(&by_options).ok().stdout, nodes.stdout);
    assert_eq!(policy(&by_options).arguments(&["--for-routing-table-role"]).ok().stdout, role.stdout);
    let none = policy(&["--route-table", ROUTE_TABLE, "--for-routing-table-role"]).expect(2);
    none.complains("eipctl", "no routing_table_role is configured, add --routing-table-role ARN");
    policy(&["--vip", "--routing-table-role", ROLE]).expect(2).complains("eipctl", "add --route-table ID");
    policy(&["--route-table", "*", "--routing-table-role", "x"])
        .expect(2)
        .complains("eipctl", "expected arn:aws:iam::");
}

#[test]
fn what_cannot_be_found_out_is_named_with_the_option_for_it() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    let short = |arguments: &[&str]| a.ctl("policy", arguments).arguments(&["--timeout", "2"]);
    short(&[ALLOCATION]).expect(1).complains("eipctl", "give --region");
    short(&[ALLOCATION, "--region", "eu-west-1"]).expect(1).complains("eipctl", "give --account");
    let given = ["203.0.113.10", "--region", "eu-west-1", "--account", "210987654321"];
    let url = format!("http://{}", refusing());
    short(&given).env("AWS_ENDPOINT_URL_EC2", url).expect(1).complains("eipctl", "give eipalloc-");
}
