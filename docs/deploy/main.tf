# What the nodes of a cluster need from AWS: an Elastic IP, and a role that may move this address and do nothing else.
# For OpenTofu and Terraform.

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "cluster" {
  description = "Name of the cluster"
  type        = string
  default     = "web"
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  region  = data.aws_region.current.region
  account = data.aws_caller_identity.current.account_id
  ec2     = "arn:${data.aws_partition.current.partition}:ec2:${local.region}:${local.account}"
}

# Without `instance`, `network_interface` and aws_eip_association: the cluster decides who holds the address, and an apply
# must not take it back.
resource "aws_eip" "cluster" {
  domain = "vpc"
  tags   = { Name = var.cluster }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "node" {
  name = "${var.cluster}-node"

  assume_role_policy = <<-TRUST
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": { "Service": "ec2.amazonaws.com" },
          "Action": "sts:AssumeRole"
        }
      ]
    }
  TRUST
}

# As `eipctl policy` prints it.
resource "aws_iam_role_policy" "move_address" {
  name = "move-address"
  role = aws_iam_role.node.id

  policy = <<-POLICY
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "FindHolder",
          "Effect": "Allow",
          "Action": ["ec2:DescribeAddresses"],
          "Resource": ["*"]
        },
        {
          "Sid": "MoveAddress",
          "Effect": "Allow",
          "Action": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
          "Resource": ["${local.ec2}:elastic-ip/${aws_eip.cluster.allocation_id}"]
        },
        {
          "Sid": "MoveToNodes",
          "Effect": "Allow",
          "Action": ["ec2:AssociateAddress", "ec2:DisassociateAddress"],
          "Resource": ["${local.ec2}:instance/*", "${local.ec2}:network-interface/*"]
        }
      ]
    }
  POLICY
}

resource "aws_iam_instance_profile" "node" {
  name = "${var.cluster}-node"
  role = aws_iam_role.node.name
}

output "elastic_ip" {
  value = aws_eip.cluster.public_ip
}

# For the nodes: iam_instance_profile of aws_instance.
output "instance_profile" {
  value = aws_iam_instance_profile.node.name
}
