"""The one list of all differences between moto's responses and EC2's.

A row names a sequence, step and field (shell patterns), moto's response and EC2's, as aws-sim gives it;
None stands for any value.
A difference between the two servers that no row names fails the test, and so does a row that no longer applies.
"""

from typing import NamedTuple

from session import ABSENT, OK


class Deviation(NamedTuple):
    sequence: str
    step: str
    field: str
    moto: object
    ec2: object
    why: str


DEVIATIONS = [
    # The output of DescribeAddresses.
    Deviation("*", "*", "Addresses.*.NetworkBorderGroup", ABSENT, "eu-west-1", "moto knows no border groups"),
    Deviation("*", "*", "Addresses.*.PublicIpv4Pool", ABSENT, "amazon", "moto knows no pools"),
    Deviation("*", "*", "Addresses.*.NetworkInterfaceId", "", ABSENT, "moto sends an empty element for a free address"),
    Deviation("*", "*", "Addresses.*.InstanceId", "", ABSENT, "moto sends an empty element for a free address"),
    Deviation("*", "*", "Addresses.*.InstanceId", "", "instance a", "moto leaves it out when associated by interface"),
    Deviation("*", "*", "Addresses.*.InstanceId", "", "instance b", "moto leaves it out when associated by interface"),
    Deviation("*", "*", "Addresses.*.InstanceId", "", "instance two", "moto leaves it out when associated by interface"),
    # Filters of DescribeAddresses.
    Deviation(
        "describe_by_id_address_and_filter",
        "by filter instance-id",
        "Addresses.allocation x.*",
        ABSENT,
        None,
        "moto has no instance for an address associated by interface, so this filter misses it",
    ),
    Deviation(
        "describe_by_id_address_and_filter",
        "by filter network-border-group",
        "outcome",
        "an answer that is not EC2's XML",
        OK,
        "moto answers 500 with a page of HTML to a filter it does not know",
    ),
    # Which caller may take which address from which holder.
    Deviation(
        "move_without_saying_so",
        "move to b",
        "outcome",
        "Resource.AlreadyAssociated (400)",
        OK,
        "in a VPC EC2 moves unless AllowReassociation=false; moto only if it is true",
    ),
    # What remains after a move.
    Deviation(
        "*",
        "look at *",
        "Addresses.*.Association",
        ABSENT,
        "address x",
        "moto shows no Elastic IP on its interface: DescribeAddresses alone does",
    ),
    Deviation(
        "repeat_on_same_target",
        "associate again",
        "AssociationId",
        "association of 'associate again'",
        "association of 'associate'",
        "moto makes a new id each time; EC2 documents neither, and aws-sim keeps it",
    ),
    Deviation(
        "displacement",
        "look at x",
        "Addresses.allocation x.*",
        None,
        ABSENT,
        "a private address carries one Elastic IP: EC2 displaces the first, moto lets both stay",
    ),
    # Private addresses.
    Deviation(
        "associate_with_secondary_address",
        "look",
        "Addresses.allocation x.PrivateIpAddress",
        "10.0.0.11",
        "10.0.0.101",
        "moto ignores PrivateIpAddress and always shows the primary one",
    ),
    Deviation(
        "*",
        "*",
        "AssignedPrivateIpAddresses.*.PrivateIpAddress",
        None,
        ABSENT,
        "moto lists all the addresses of the interface as assigned, EC2 those of this call",
    ),
    Deviation(
        "secondary_private_addresses",
        "unassign what is not there",
        "outcome",
        OK,
        "InvalidParameterValue (400)",
        "moto does not look whether it is there",
    ),
    Deviation(
        "move_secondary_address",
        "look at a",
        "Addresses.10.0.0.101.*",
        None,
        ABSENT,
        "moto lets two interfaces have one private address",
    ),
    Deviation(
        "assign_what_another_has",
        "assign to b",
        "outcome",
        OK,
        "Resource.AlreadyAssigned (400)",
        "moto ignores AllowReassignment",
    ),
    Deviation(
        "assign_outside_the_subnet",
        "assign",
        "outcome",
        OK,
        "InvalidParameterValue (400)",
        "moto does not look at the subnet",
    ),
    # Routes.
    Deviation("*", "*", "Routes.*.InstanceId", ABSENT, None, "moto does not show the instance that an interface is attached to"),
    Deviation("*", "*", "Routes.*.InstanceOwnerId", ABSENT, None, "moto does not show the instance that an interface is attached to"),
    Deviation(
        "replace_a_route",
        "try to replace",
        "outcome",
        OK,
        "DryRunOperation (412)",
        "moto takes a dry run of ReplaceRoute for the call itself",
    ),
]
