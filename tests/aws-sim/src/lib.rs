//! A small, exact EC2, STS and `IMDSv2` for tests, with faults.
