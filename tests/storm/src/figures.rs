//! Results of a storm, relative to what the buckets allow.

use std::time::Duration;

use aws_sim::{Buckets, Rate};
use eip::base::deadline::Deadline;
use tokio::time::Instant;

use crate::count::Count;

/// The last takeover may come later than the buckets allow by this factor.
pub const GOAL: f64 = 1.2;
/// A timeout allows all takeovers if it is longer than the bound by this factor: a client can't know when there will be a token
/// for it.
const AMPLE: f64 = 1.1;
/// If the timeout is too short, this share of its tokens has to be used.
const USED: f64 = 0.95;
/// Seconds by which the last takeover may be late in any case: a storm of few clusters is soon over, and is not expected to be
/// as fast.
const SOON: f64 = 6.0;

/// Header of the table whose rows are [`Figures::row`].
pub const HEAD: &str = "\
| policy | clusters | timeout | taken over | tokens for | last | bound | ratio | median | calls each | queries each | refused | busiest second |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

/// Results of a storm.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Kind of address and policy.
    pub what: String,
    /// Token bucket of the call that takes an address.
    pub rate: Rate,
    /// Number of clusters.
    pub clusters: usize,
    /// Timeout of each start.
    pub timeout: Duration,
    /// When each takeover was done, counted from the beginning, in order.
    pub taken: Vec<Duration>,
    /// Requests to the account.
    pub count: Count,
}

impl Figures {
    /// Computes the figures of a storm.
    pub fn new(
        what: String,
        rate: Rate,
        clusters: usize,
        timeout: Duration,
        mut taken: Vec<Duration>,
        count: Count,
    ) -> Self {
        taken.sort_unstable();
        Self { what, rate, clusters, timeout, taken, count }
    }

    /// Number of starts that failed.
    pub fn failed(&self) -> usize {
        self.clusters - self.taken.len()
    }

    /// When the last takeover was done.
    pub fn last(&self) -> Duration {
        self.taken.last().copied().unwrap_or_default()
    }

    /// By which factor the last takeover came later than the buckets allow; `None` if not all succeeded.
    pub fn ratio(&self) -> Option<f64> {
        let bound = bound(self.rate, self.clusters);
        (self.failed() == 0 && !bound.is_zero()).then(|| self.last().as_secs_f64() / bound.as_secs_f64())
    }

    /// For how many takeovers there are tokens before the timeout of a start.
    pub fn possible(&self) -> usize {
        let tokens = self.budget().as_secs_f64().mul_add(self.rate.per_second, self.rate.burst);
        (0..self.clusters).take_while(|&index| number(index) + 1.0 <= tokens).count()
    }

    /// Requests of both kinds per cluster.
    pub fn requests_each(&self) -> f64 {
        self.each(self.count.taking + self.count.describe)
    }

    /// The part of the goal that was missed, if any. If the timeout allows all takeovers, none may fail and the last must not be late;
    /// otherwise the available tokens have to be used.
    pub fn missed(&self) -> Option<String> {
        let bound = bound(self.rate, self.clusters).as_secs_f64();
        if self.budget().as_secs_f64() >= bound * AMPLE {
            let (failed, last) = (self.failed(), self.last().as_secs_f64());
            if failed > 0 {
                return Some(format!("{failed} failed though the time allows all"));
            }
            return (last > (bound * GOAL).max(bound + SOON))
                .then(|| format!("the last came after {last:.1} s, more than {GOAL} times {bound:.1} s"));
        }
        let (taken, possible) = (self.taken.len(), self.possible());
        (number(taken) < number(possible) * USED)
            .then(|| format!("{taken} took over, although there are tokens for {possible}"))
    }

    /// The row of the table, with its line end.
    pub fn row(&self) -> String {
        let busiest = self.count.by_second.iter().skip(1).max().copied().unwrap_or_default();
        let requests = self.count.taking + self.count.describe;
        let median = self.taken.get(self.taken.len() / 2).copied().unwrap_or_default();
        format!(
            "| {} | {} | {} s | {} | {} | {:.1} s | {:.1} s | {} | {:.1} s | {:.1} | {:.1} | {:.0} % | {busiest} |\n",
            self.what,
            self.clusters,
            self.timeout.as_secs(),
            self.taken.len(),
            self.possible(),
            self.last().as_secs_f64(),
            bound(self.rate, self.clusters).as_secs_f64(),
            self.ratio().map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            median.as_secs_f64(),
            self.each(self.count.taking),
            self.each(self.count.describe),
            100.0 * number(self.count.refused) / number(requests.max(1)),
        )
    }

    /// The time in which a start is tried: the timeout minus the agent's margin.
    fn budget(&self) -> Duration {
        Deadline::new(Instant::now(), self.timeout).budget()
    }

    fn each(&self, count: usize) -> f64 {
        number(count) / number(self.clusters.max(1))
    }
}

/// The time before which the last of this many takeovers can't be done by any client: each needs a mutating call and a query that
/// confirms it, and each bucket gives its capacity at once and then its rate.
pub fn bound(taking: Rate, clusters: usize) -> Duration {
    let wait = |rate: Rate| ((number(clusters) - rate.burst) / rate.per_second).max(0.0);
    Duration::from_secs_f64(wait(taking).max(wait(Buckets::aws().describe)))
}

/// A count as a number to calculate with: counts here are far below 2^32.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(clusters: usize, timeout: u64, taken: usize, last: u64) -> Figures {
        let taken = vec![Duration::from_secs(last); taken];
        Figures::new(
            "test".to_owned(),
            Buckets::aws().mutate,
            clusters,
            Duration::from_secs(timeout),
            taken,
            Count::default(),
        )
    }

    #[test]
    fn the_bound_is_what_the_bucket_of_the_calls_allows() {
        let bound = |clusters| bound(Buckets::aws().mutate, clusters);
        assert_eq!(bound(10_000), Duration::from_secs(1990));
        assert_eq!(bound(300), Duration::from_secs(50));
        assert_eq!(bound(50), Duration::ZERO);
    }

    #[test]
    fn the_goal_is_missed_by_a_failure_by_a_late_last_one_and_by_tokens_left_over() {
        assert_eq!(figures(300, 300, 300, 59).missed(), None);
        assert!(figures(300, 300, 299, 59).missed().is_some(), "one failed");
        assert!(figures(300, 300, 300, 62).missed().is_some(), "the last was late");
        assert_eq!(figures(300, 20, 145, 19).possible(), 145);
        assert_eq!(figures(300, 20, 145, 19).missed(), None);
        assert!(figures(300, 20, 135, 19).missed().is_some(), "ten tokens were left");
    }
}
