//! Selects the cases: as many as requested, all derived from one number, so that each can be repeated by itself.
//!
//! `HOSTILE` is the number of cases of each kind, `HOSTILE_SEED` the number they are drawn from, `HOSTILE_CASE="metadata 17"`
//! the only one to run, `HOSTILE_THREADS` how many run at a time.

use std::time::{Duration, Instant};

use agent_tests::all;
use fastrand::Rng;

/// Cases of each kind where nothing says so.
const CASES: usize = 60;
/// The seed where nothing says so: a failure is there again in the next run.
const SEED: u64 = 1;
/// How many run at a time where nothing says so: most of what a case takes is waiting.
const THREADS: usize = 8;

/// Returns the seed that everything is drawn from.
pub fn seed() -> u64 {
    number("HOSTILE_SEED").unwrap_or(SEED)
}

/// Returns how many cases of each kind are run.
pub fn cases() -> usize {
    number("HOSTILE").unwrap_or(CASES)
}

fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a number")))
}

/// Returns the source of chance of one case.
pub fn of_case(kind: &str, number: usize) -> Rng {
    // FNV-1a: the same on every machine and in every release.
    let bytes = format!("{} {kind} {number}", seed());
    let hash = bytes.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Rng::with_seed(hash)
}

/// What came of all cases of a kind.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many were run.
    pub cases: usize,
    /// How often what was planned happened, such as an answer that was replaced.
    pub struck: usize,
    /// The largest amount of memory that one of them had, in bytes.
    pub peak: u64,
    /// The longest that one of them took.
    pub longest: Duration,
}

/// What came of one case.
#[derive(Debug, Default)]
pub struct HostileOutcome {
    /// Whether what was planned happened.
    pub struck: bool,
    /// The largest amount of memory that the agent had, in bytes.
    pub peak: u64,
    /// How long it took.
    pub took: Duration,
}

/// Runs cases of a kind side by side and fails with those that go wrong, each with the line that runs it again.
///
/// What goes wrong is run again by itself first: on a machine that is busy an agent can be late. What is wrong by its input is
/// wrong again. The others are named.
pub fn run(
    kind: &str,
    usual: usize,
    case: impl Fn(&mut Rng) -> Result<HostileOutcome, String> + Sync,
) -> Sum {
    let only = std::env::var("HOSTILE_CASE").ok();
    let numbers: Vec<usize> = match only.as_deref().map(|only| only.split_once(' ')) {
        Some(Some((named, number))) if named == kind => {
            vec![number.parse().expect("HOSTILE_CASE=\"KIND NUMBER\"")]
        }
        Some(_) => return Sum::default(),
        None => (0..cases() * usual / 100).collect(),
    };
    let began = Instant::now();
    let threads = number("HOSTILE_THREADS").unwrap_or(THREADS);
    let attempt = |numbers: &[usize]| -> Vec<Result<HostileOutcome, String>> {
        let results = all(numbers, threads, |&number| case(&mut of_case(kind, number)));
        results.into_iter().map(Result::flatten).collect()
    };
    let results = attempt(&numbers);
    let (mut sum, mut failed, mut again) = (Sum::default(), Vec::new(), Vec::new());
    for (&number, result) in numbers.iter().zip(results) {
        let result = result.or_else(|first| {
            let second = attempt(&[number]).remove(0);
            if second.is_ok() {
                again.push(format!("{number}: {}", first.lines().next().unwrap_or_default()));
            }
            second
        });
        match result {
            Ok(done) => {
                sum.struck += usize::from(done.struck);
                sum.peak = sum.peak.max(done.peak);
                sum.longest = sum.longest.max(done.took);
            }
            Err(error) => failed.push(format!(
                "HOSTILE_SEED={} HOSTILE_CASE=\"{kind} {number}\" make hostile-test\n{error}",
                seed()
            )),
        }
        sum.cases += 1;
    }
    println!(
        "{kind}: seed {}, {} cases in {:.1} s, {} as planned, {} wrong; the largest had {} KiB, the longest took {:.1} s",
        seed(),
        sum.cases,
        began.elapsed().as_secs_f64(),
        sum.struck,
        failed.len(),
        sum.peak / 1024,
        sum.longest.as_secs_f64(),
    );
    if !again.is_empty() {
        println!("{kind}: right only when run again: {again:?}");
    }
    assert!(failed.is_empty(), "{} case(s) of {kind} wrong:\n\n{}", failed.len(), failed.join("\n\n"));
    sum
}
