"""Creates the same world on either server, three instances in one subnet, and returns the name of each id."""

from servers import REGION, request
from session import KEYS, client

CIDR = "10.0.0.0/24"
# Instances, each with the primary private addresses of its interfaces.
INSTANCES = {"a": ["10.0.0.11"], "b": ["10.0.0.12"], "two": ["10.0.0.13", "10.0.0.14"]}
# aws-sim's route tables, without and with routes; moto assigns its own ids.
TABLE, ROUTED = "rtb-00000000000000001", "rtb-00000000000000002"
# The destinations of the routes to the interface of a.
OVERLAY, OVERLAY_6 = "192.168.10.1/32", "fd00:10::1/128"


def interface_name(instance: str, place: int) -> str:
    return f"interface {instance}" if len(INSTANCES[instance]) == 1 else f"interface {instance}/{place}"


def moto_world(url: str) -> dict[str, str]:
    """Resets moto and creates the world through EC2's own operations; returns the name of each id."""
    request("POST", f"{url}/moto-api/reset")
    ec2 = client(url)
    vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    zone = f"{REGION}a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=CIDR, AvailabilityZone=zone)["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    names = {vpc: "vpc", subnet: "subnet", table: "table"}
    for instance, addresses in INSTANCES.items():
        made = ec2.run_instances(
            ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnet, PrivateIpAddress=addresses[0], InstanceType="t3.micro"
        )["Instances"][0]
        names[made["InstanceId"]] = f"instance {instance}"
        names[made["NetworkInterfaces"][0]["NetworkInterfaceId"]] = interface_name(instance, 0)
        for place, address in enumerate(addresses[1:], 1):
            eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress=address)
            eni = eni["NetworkInterface"]["NetworkInterfaceId"]
            ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=made["InstanceId"], DeviceIndex=place)
            names[eni] = interface_name(instance, place)
    routed = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    holder = next(identifier for identifier, name in names.items() if name == "interface a")
    ec2.create_route(RouteTableId=routed, DestinationCidrBlock=OVERLAY, NetworkInterfaceId=holder)
    ec2.create_route(RouteTableId=routed, DestinationIpv6CidrBlock=OVERLAY_6, NetworkInterfaceId=holder)
    return names | {routed: "table with routes"}


def allocate_in_moto(url: str) -> tuple[str, str]:
    """Allocates an address in moto: returns its allocation id and the address itself."""
    made = client(url).allocate_address(Domain="vpc")
    return made["AllocationId"], made["PublicIp"]


def allocate_in_sim(url: str) -> tuple[str, str]:
    """Allocates an address in aws-sim: returns its allocation id and the address itself."""
    made = request("POST", f"{url}/_sim/addresses", {})
    return made["allocation_id"], made["public_ip"]


def specification(instance: str, names: dict[str, str] | None = None) -> dict:
    """An instance in aws-sim's JSON form; with other ids, if `names` has them."""
    id_of = {name: identifier for identifier, name in (names or {}).items()}
    interfaces = [
        {"private_ips": [address], "eni": id_of.get(interface_name(instance, place))}
        for place, address in enumerate(INSTANCES[instance])
    ]
    subnet = {"subnet": CIDR, "subnet_id": id_of.get("subnet")}
    return {"id": id_of.get(f"instance {instance}"), "zone": f"{REGION}a", **subnet, "interfaces": interfaces, "role": "node"}


def sim_world(url: str) -> dict[str, str]:
    """Resets aws-sim and creates the world through its control interface; returns the name of each id."""
    request("POST", f"{url}/_sim/reset")
    request("POST", f"{url}/_sim/settings", {"access_keys": {KEYS["aws_access_key_id"]: KEYS["aws_secret_access_key"]}})
    request("POST", f"{url}/_sim/route_tables", {"id": TABLE})
    names = {TABLE: "table", ROUTED: "table with routes"}
    for instance in INSTANCES:
        made = request("POST", f"{url}/_sim/instances", specification(instance))
        names[made["id"]] = f"instance {instance}"
        for place, interface in enumerate(made["interfaces"]):
            names[interface["eni"]] = interface_name(instance, place)
    holder = next(identifier for identifier, name in names.items() if name == "interface a")
    routes = {address.rpartition("/")[0]: holder for address in (OVERLAY, OVERLAY_6)}
    request("POST", f"{url}/_sim/route_tables", {"id": ROUTED, "routes": routes})
    return names


def as_sim_world(names: dict[str, str]) -> dict:
    """The description of a world for aws-sim with the ids of another server."""
    return {"instances": [specification(instance, names) for instance in INSTANCES]}


def associate_in_sim(url: str, address: str, interface: str):
    """Associates an address with an interface in aws-sim, as an administrator would."""
    allocated = request("POST", f"{url}/_sim/addresses", {"public_ip": address})
    request("POST", f"{url}/_sim/associate", {"allocation_id": allocated["allocation_id"], "eni": interface})
