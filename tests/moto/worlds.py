"""Makes the same world on either server, and names its ids: three instances in one subnet."""

from servers import REGION, request
from session import client

CIDR = "10.0.0.0/24"
# Instance, and the primary private address of each of its interfaces.
INSTANCES = {"a": ["10.0.0.11"], "b": ["10.0.0.12"], "two": ["10.0.0.13", "10.0.0.14"]}


def interface_name(instance: str, place: int) -> str:
    return f"interface {instance}" if len(INSTANCES[instance]) == 1 else f"interface {instance}/{place}"


def moto_world(url: str) -> dict[str, str]:
    """Forgets everything moto has and makes the world through EC2's own operations; returns the name of each id."""
    request("POST", f"{url}/moto-api/reset")
    ec2 = client(url)
    vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    zone = f"{REGION}a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=CIDR, AvailabilityZone=zone)["Subnet"]["SubnetId"]
    names = {vpc: "vpc", subnet: "subnet"}
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
    return names
