//! Results of a storm, relative to what the buckets allow.

use std::time::Duration;

use aws_sim::{Buckets, Rate};
use eip::base::deadline::Deadline;
use tokio::time::Instant;

use crate::count::Count;

/// How much later than the buckets allow the last takeover may come.
pub const GOAL: f64 = 1.2;
/// The time for an action allows all takeovers where it is longer than the bound by this factor: a client can't know when a
/// token will be there for it.
const AMPLE: f64 = 1.1;
/// The part of the tokens of a time that is too short that have to be used.
const USED: f64 = 0.95;
/// Seconds that the last takeover may come late in any case: a storm of some clusters is soon over, and is not expected to be
/// as quick there.
const SOON: f64 = 6.0;

/// The head of the table whose rows are [`Figures::row`].
pub const HEAD: &str = "\
| policy | clusters | timeout | taken over | tokens for | last | bound | ratio | median | calls each | queries each | refused | busiest second |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

/// What came of a storm.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Who did it.
    pub what: String,
    /// The bucket of the call that takes an address.
    pub rate: Rate,
    /// How many clusters there were.
    pub clusters: usize,
    /// How long each start was given.
    pub timeout: Duration,
    /// When each takeover was done, counted from the beginning, in order.
    pub taken: Vec<Duration>,
    /// What the account was asked.
    pub count: Count,
}

impl Figures {
    /// Makes the figures of a storm.
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

    /// Returns how many starts failed.
    pub fn failed(&self) -> usize {
        self.clusters - self.taken.len()
    }

    /// Returns when the last takeover was done.
    pub fn last(&self) -> Duration {
        self.taken.last().copied().unwrap_or_default()
    }

    /// Returns how much later the last takeover came than the buckets allow; nothing where not all came.
    pub fn ratio(&self) -> Option<f64> {
        let bound = bound(self.rate, self.clusters);
        (self.failed() == 0 && !bound.is_zero()).then(|| self.last().as_secs_f64() / bound.as_secs_f64())
    }

    /// Returns how many takeovers there are tokens for in the time of a start.
    pub fn possible(&self) -> usize {
        let tokens = self.budget().as_secs_f64().mul_add(self.rate.per_second, self.rate.burst);
        (0..self.clusters).take_while(|&index| number(index) + 1.0 <= tokens).count()
    }

    /// Returns the requests of both kinds for each cluster.
    pub fn requests_each(&self) -> f64 {
        self.each(self.count.taking + self.count.describe)
    }

    /// Returns what of the goal was missed: none may fail where the time allows all, nor may the last be late; else
    /// the tokens that there are have to be used.
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
            .then(|| format!("{taken} took over where there are tokens for {possible}"))
    }

    /// Returns the row of the table, with its line end.
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

    /// Returns the time in which a start is tried: the timeout without what the agent keeps for its answer.
    fn budget(&self) -> Duration {
        Deadline::new(Instant::now(), self.timeout).budget()
    }

    fn each(&self, count: usize) -> f64 {
        number(count) / number(self.clusters.max(1))
    }
}

/// Returns the time before which the last of so many takeovers can't be done, whoever does them: each needs an order of its own
/// and a look that confirms it, and each bucket gives what it holds at once and then its rate.
pub fn bound(taking: Rate, clusters: usize) -> Duration {
    let wait = |rate: Rate| ((number(clusters) - rate.burst) / rate.per_second).max(0.0);
    Duration::from_secs_f64(wait(taking).max(wait(Buckets::aws().describe)))
}

/// Returns a count as a number to calculate with: counts here are far below 2^32.
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
