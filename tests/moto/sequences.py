"""The operation sequences that both servers run, each on its own world.

The world (`worlds.py`): instances a and b with one interface each, instance two with two, all in one subnet, no address allocated, and two
route tables, one with routes to single addresses.
"""

from session import Session
from worlds import OVERLAY, OVERLAY_6

MOVES = {"AllowReassociation": True}
STAYS = {"AllowReassociation": False}


def associate_by_interface(s: Session):
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.look("look", AllocationIds=["@allocation x"])
    s.look_at_interface("look at a", "a")


def associate_to_nothing(s: Session):
    s.allocate("x")
    s.associate("no interface", "x", **MOVES)


def associate_with_second_interface(s: Session):
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface two/1", **MOVES)
    s.look("look", AllocationIds=["@allocation x"])


def repeat_on_same_target(s: Session):
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.associate("associate again", "x", NetworkInterfaceId="@interface a", **MOVES)


def move(s: Session):
    s.allocate("x")
    s.associate("associate with a", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.associate("move to b", "x", NetworkInterfaceId="@interface b", **MOVES)
    s.look("look", AllocationIds=["@allocation x"])
    s.look_at_interface("look at b", "b")
    s.look_at_interface("look at a", "a")
    s.associate("move back to a", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.look("look again", AllocationIds=["@allocation x"])


def move_without_saying_so(s: Session):
    s.allocate("x")
    s.associate("associate with a", "x", NetworkInterfaceId="@interface a")
    s.associate("move to b", "x", NetworkInterfaceId="@interface b")


def reassociation_not_allowed(s: Session):
    s.allocate("x")
    s.associate("associate with a", "x", NetworkInterfaceId="@interface a", **STAYS)
    s.associate("move to b", "x", NetworkInterfaceId="@interface b", **STAYS)
    s.look("look", AllocationIds=["@allocation x"])


def disassociate(s: Session):
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.call("disassociate", "disassociate_address", AssociationId="@association of 'associate'")
    s.look("look", AllocationIds=["@allocation x"])
    s.call("disassociate again", "disassociate_address", AssociationId="@association of 'associate'")
    s.look_at_interface("look at a", "a")


def disassociate_with_the_id_of_before_the_move(s: Session):
    s.allocate("x")
    s.associate("associate with a", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.associate("move to b", "x", NetworkInterfaceId="@interface b", **MOVES)
    s.call("disassociate", "disassociate_address", AssociationId="@association of 'associate with a'")
    s.look("look", AllocationIds=["@allocation x"])


def displacement(s: Session):
    s.allocate("x")
    s.allocate("y")
    s.associate("associate x", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.associate("associate y with the same interface", "y", NetworkInterfaceId="@interface a", **MOVES)
    s.look("look at y", AllocationIds=["@allocation y"])
    s.look("look at x", AllocationIds=["@allocation x"])


def unknown_ids(s: Session):
    s.allocate("x")
    s.look("describe an unknown allocation", AllocationIds=["eipalloc-00000000000000bad"])
    s.look("describe an unknown address", PublicIps=["198.51.100.77"])
    s.call(
        "associate an unknown allocation",
        "associate_address",
        AllocationId="eipalloc-00000000000000bad",
        NetworkInterfaceId="@interface a",
    )
    s.associate("associate with an unknown interface", "x", NetworkInterfaceId="eni-00000000000000bad")
    s.call("disassociate an unknown association", "disassociate_address", AssociationId="eipassoc-00000000000000bad")
    s.call("describe an unknown interface", "describe_network_interfaces", NetworkInterfaceIds=["eni-00000000000000bad"])


def describe_by_id_address_and_filter(s: Session):
    s.allocate("x")
    s.allocate("y")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.look("by allocation", AllocationIds=["@allocation x"])
    s.look("by address", PublicIps=["@address x"])
    s.look("all")
    for name, value in (
        ("allocation-id", "@allocation x"),
        ("association-id", "@association of 'associate'"),
        ("public-ip", "@address x"),
        ("network-interface-id", "@interface a"),
        ("instance-id", "@instance a"),
        ("private-ip-address", "10.0.0.11"),
        ("network-border-group", "eu-west-1"),
    ):
        s.look(f"by filter {name}", Filters=[{"Name": name, "Values": [value]}])
    s.look("by a filter that matches nothing", Filters=[{"Name": "public-ip", "Values": ["198.51.100.77"]}])
    s.look("by an allocation and one that is unknown", AllocationIds=["@allocation x", "eipalloc-00000000000000bad"])


def dry_run(s: Session):
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", **MOVES)
    s.associate("try to move", "x", NetworkInterfaceId="@interface b", DryRun=True, **MOVES)
    s.call("try to disassociate", "disassociate_address", AssociationId="@association of 'associate'", DryRun=True)
    s.look("try to look", AllocationIds=["@allocation x"], DryRun=True)
    s.look("nothing has changed", AllocationIds=["@allocation x"])


def secondary_private_addresses(s: Session):
    s.call(
        "assign",
        "assign_private_ip_addresses",
        NetworkInterfaceId="@interface a",
        PrivateIpAddresses=["10.0.0.101"],
        AllowReassignment=False,
    )
    s.look_at_interface("look after assign", "a")
    s.call(
        "unassign",
        "unassign_private_ip_addresses",
        NetworkInterfaceId="@interface a",
        PrivateIpAddresses=["10.0.0.101"],
    )
    s.look_at_interface("look after unassign", "a")
    s.call(
        "unassign what is not there",
        "unassign_private_ip_addresses",
        NetworkInterfaceId="@interface a",
        PrivateIpAddresses=["10.0.0.199"],
    )


def associate_with_secondary_address(s: Session):
    s.call(
        "assign",
        "assign_private_ip_addresses",
        NetworkInterfaceId="@interface a",
        PrivateIpAddresses=["10.0.0.101"],
        AllowReassignment=False,
    )
    s.allocate("x")
    s.associate("associate", "x", NetworkInterfaceId="@interface a", PrivateIpAddress="10.0.0.101", **MOVES)
    s.look("look", AllocationIds=["@allocation x"])


def move_secondary_address(s: Session):
    address = {"PrivateIpAddresses": ["10.0.0.101"]}
    s.call("assign to a", "assign_private_ip_addresses", NetworkInterfaceId="@interface a", AllowReassignment=False, **address)
    s.call("move to b", "assign_private_ip_addresses", NetworkInterfaceId="@interface b", AllowReassignment=True, **address)
    s.look_at_interface("look at b", "b")
    s.look_at_interface("look at a", "a")


def assign_what_another_has(s: Session):
    address = {"PrivateIpAddresses": ["10.0.0.101"], "AllowReassignment": False}
    s.call("assign to a", "assign_private_ip_addresses", NetworkInterfaceId="@interface a", **address)
    s.call("assign to b", "assign_private_ip_addresses", NetworkInterfaceId="@interface b", **address)


def assign_outside_the_subnet(s: Session):
    s.call(
        "assign",
        "assign_private_ip_addresses",
        NetworkInterfaceId="@interface a",
        PrivateIpAddresses=["10.9.9.9"],
        AllowReassignment=False,
    )


def replace_a_route(s: Session):
    route = {"RouteTableId": "@table with routes", "DestinationCidrBlock": OVERLAY, "NetworkInterfaceId": "@interface b"}
    s.look_at_routes("look before", RouteTableIds=["@table with routes"])
    s.call("try to replace", "replace_route", DryRun=True, **route)
    s.call("replace", "replace_route", **route)
    s.look_at_routes("look after replace", RouteTableIds=["@table with routes"])
    for name, value in (("route-table-id", "@table with routes"), ("route.destination-cidr-block", OVERLAY)):
        s.look_at_routes(f"by filter {name}", Filters=[{"Name": name, "Values": [value]}])
    s.look_at_routes("by a filter that matches nothing", Filters=[{"Name": "route.destination-cidr-block", "Values": ["192.168.10.2/32"]}])


def an_ipv6_route(s: Session):
    route = {"RouteTableId": "@table with routes", "DestinationIpv6CidrBlock": OVERLAY_6}
    s.call("replace", "replace_route", NetworkInterfaceId="@interface b", **route)
    s.look_at_routes("look", RouteTableIds=["@table with routes"])


def routes_that_are_not_there(s: Session):
    route = {"DestinationCidrBlock": OVERLAY, "NetworkInterfaceId": "@interface a"}
    s.call("replace a route that is not there", "replace_route", RouteTableId="@table", **route)
    s.call("replace in an unknown table", "replace_route", RouteTableId="rtb-00000000000000bad", **route)
    s.call("describe an unknown table", "describe_route_tables", RouteTableIds=["rtb-00000000000000bad"])
    unknown = {"DestinationCidrBlock": OVERLAY, "NetworkInterfaceId": "eni-00000000000000bad"}
    s.call("replace to an unknown interface", "replace_route", RouteTableId="@table with routes", **unknown)


SEQUENCES = [
    associate_by_interface,
    associate_to_nothing,
    associate_with_second_interface,
    repeat_on_same_target,
    move,
    move_without_saying_so,
    reassociation_not_allowed,
    disassociate,
    disassociate_with_the_id_of_before_the_move,
    displacement,
    unknown_ids,
    describe_by_id_address_and_filter,
    dry_run,
    secondary_private_addresses,
    associate_with_secondary_address,
    move_secondary_address,
    assign_what_another_has,
    assign_outside_the_subnet,
    replace_a_route,
    an_ipv6_route,
    routes_that_are_not_there,
]
