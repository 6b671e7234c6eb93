"""Calls one EC2 through boto3 and records its responses, with every identifier replaced by a name of ours.

Two servers issue different ids, so responses can be compared only after each id was replaced by the name of its object:
"interface a", "allocation x", "association of STEP". An id without a name stays as it is, and so shows up as a difference.
"""

from collections.abc import Callable
from functools import partial

import boto3
import botocore.config
import botocore.exceptions
import botocore.parsers

from servers import REGION

KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
ABSENT = "(absent)"
OK = "ok"


def client(url: str):
    """A client that tries once and never waits long."""
    config = botocore.config.Config(
        connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}, parameter_validation=False
    )
    return boto3.client("ec2", region_name=REGION, endpoint_url=url, config=config, **KEYS)


def flatten(value, path="") -> dict[str, object]:
    """{"a": {"b": 1}} becomes {"a.b": 1}; items of a list are named by their own name if they have one, otherwise by position."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = ((own_name(item, place), item) for place, item in enumerate(value))
    else:
        return {path: value}
    flat = {}
    for key, item in items:
        flat.update(flatten(item, f"{path}.{key}" if path else str(key)))
    return flat


def own_name(item, place: int) -> str:
    if isinstance(item, dict):
        for key in ("AllocationId", "PrivateIpAddress"):
            if item.get(key):
                return item[key]
    return str(place)


class Session:
    """One sequence of operations on one server, and the response of each step: {step: {path: value}}."""

    def __init__(self, url: str, names: dict[str, str], allocate_on: Callable[[str], tuple[str, str]]):
        self.ec2 = client(url)
        self.allocate_on = partial(allocate_on, url)
        self.name_of = dict(names)
        self.steps: dict[str, dict[str, object]] = {}

    def id_of(self, name: str) -> str:
        return next(identifier for identifier, known in self.name_of.items() if known == name)

    def call(self, step: str, operation: str, learn: dict[str, str] | None = None, keep=None, **parameters):
        """Calls one operation. A parameter "@NAME" stands for the id of that name; `learn` names ids in the response.

        `keep` reduces the response to what is compared; by default everything is.
        """
        assert step not in self.steps, step
        try:
            answer = getattr(self.ec2, operation)(**self._resolve(parameters))
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self.steps[step] = {"outcome": f"{error.response['Error']['Code']} ({status})"}
            return None
        except botocore.parsers.ResponseParserError:
            self.steps[step] = {"outcome": "an answer that is not EC2's XML"}
            return None
        headers = answer.pop("ResponseMetadata")["HTTPHeaders"]
        for field, name in (learn or {}).items():
            if field in answer:
                self.name_of.setdefault(answer[field], name)
        named = self._named(keep(answer) if keep else answer)
        self.steps[step] = {"outcome": OK, "request id in header": "x-amzn-requestid" in headers, **flatten(named)}
        return answer

    def _resolve(self, value):
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolve(item) for item in value]
        if isinstance(value, str) and value.startswith("@"):
            return self.id_of(value[1:])
        return value

    def _named(self, value):
        if isinstance(value, dict):
            return {key: self._named(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._named(item) for item in value]
        return self.name_of.get(value, value) if isinstance(value, str) else value

    # The operations in the form that the sequences use.

    def allocate(self, name: str):
        """Allocates an address in each server's own way: no agent ever allocates."""
        allocation, address = self.allocate_on()
        self.name_of |= {allocation: f"allocation {name}", address: f"address {name}"}

    def associate(self, step: str, name: str, **target):
        self.call(
            step,
            "associate_address",
            learn={"AssociationId": f"association of '{step}'"},
            AllocationId=f"@allocation {name}",
            **target,
        )

    def look(self, step: str, **selection):
        self.call(step, "describe_addresses", **selection)

    def look_at_routes(self, step: str, **selection):
        """The routes to single addresses in the tables that are found."""

        def keep(answer):
            single = [
                {"RouteTableId": table["RouteTableId"], **route}
                for table in answer["RouteTables"]
                for route in table["Routes"]
                if (route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock", "")).endswith(("/32", "/128"))
            ]
            return {"Routes": single}

        self.call(step, "describe_route_tables", keep=keep, **selection)

    def look_at_interface(self, step: str, interface: str):
        """The private addresses of an interface, each with its public address."""

        def keep(answer):
            found = answer["NetworkInterfaces"][0]
            return {
                "Addresses": [
                    {
                        "PrivateIpAddress": one["PrivateIpAddress"],
                        "Primary": one["Primary"],
                        "Association": one.get("Association", {}).get("PublicIp", ABSENT),
                    }
                    for one in found["PrivateIpAddresses"]
                ]
            }

        self.call(step, "describe_network_interfaces", keep=keep, NetworkInterfaceIds=[f"@interface {interface}"])
