//! Requests to the account during a storm.

use std::time::Duration;

use aws_sim::{CallRecord, Service};

/// Number of requests in a storm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls that take an address, including those that were refused.
    pub taking: usize,
    /// Describes, including those that were refused.
    pub describe: usize,
    /// Refused requests of both kinds.
    pub refused: usize,
    /// Requests in each second.
    pub by_second: Vec<usize>,
}

impl Count {
    /// Counts the requests to a model.
    pub fn of(records: &[CallRecord]) -> Self {
        let mut count = Self::default();
        for record in records.iter().filter(|record| record.service == Service::Ec2) {
            count.add(&record.operation, record.by.sent, record.failure.is_some());
        }
        count
    }

    /// Counts a request.
    ///
    /// # Panics
    /// If it is not part of a takeover.
    pub fn add(&mut self, operation: &str, at: Duration, refused: bool) {
        match operation {
            "AssociateAddress" | "AssignPrivateIpAddresses" | "ReplaceRoute" => self.taking += 1,
            "DescribeAddresses" | "DescribeNetworkInterfaces" | "DescribeRouteTables" => {
                self.describe += 1;
            }
            other => panic!("{other} is not part of a takeover"),
        }
        self.refused += usize::from(refused);
        let second = usize::try_from(at.as_secs()).unwrap_or(usize::MAX);
        if self.by_second.len() <= second {
            self.by_second.resize(second + 1, 0);
        }
        if let Some(count) = self.by_second.get_mut(second) {
            *count += 1;
        }
    }
}
