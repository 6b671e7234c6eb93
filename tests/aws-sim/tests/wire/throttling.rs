//! Token buckets, seen by a client.

use aws_sim::{Buckets, Rate};

use crate::lab::{Lab, TestResult, eni};

#[test]
fn the_bucket_of_one_action_runs_dry_and_the_others_do_not() -> TestResult {
    let lab = Lab::new()?;
    // No refill, so that the figures do not depend on the speed of the test.
    lab.cloud.set_buckets(Some(Buckets { mutate: Rate::new(2.0, 0.0), ..Buckets::aws() }));
    let associate = || lab.associate(eni(&lab.a)?).map(|answer| answer.error());
    assert_eq!([associate()?.0, associate()?.0], [200, 200]);
    assert_eq!(associate()?, (503, "RequestLimitExceeded".to_owned()));
    assert_eq!(lab.describe()?.status, 200);
    lab.cloud.set_buckets(None);
    assert_eq!(associate()?.0, 200);
    Ok(())
}
