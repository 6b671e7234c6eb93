//! Proxies: EC2 and STS use a configured proxy, the metadata service never does.

use agent_tests::{Proxy, Run, refusing};
use aws_sim::CredState;

use crate::credentials::container;
use crate::tls::BehindTls;

/// [cred-2]
#[test]
fn ec2_is_reached_through_the_proxy_and_the_metadata_is_not() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let behind = BehindTls::new();
        let proxy = Proxy::start();
        let run = behind.start().env(name, proxy.url());
        // What a proxy for plain HTTP would get: requests to the metadata service, if any.
        let run = if name == "ALL_PROXY" {
            run
        } else {
            run.env("HTTP_PROXY", proxy.url()).env("http_proxy", proxy.url())
        };
        run.ok();
        behind.world.held_by(&behind.node);
        let asked = proxy.asked();
        let connect = format!("CONNECT localhost:{} ", behind.port);
        assert!(
            !asked.is_empty() && asked.iter().all(|line| line.starts_with(&connect)),
            "{name}: {asked:?}"
        );
    }
}

/// [cred-2]
#[test]
fn sts_is_reached_through_the_proxy_too() {
    let behind = BehindTls::new();
    let proxy = Proxy::start();
    let run = behind.start().param("role_arn", "arn:aws:iam::123456789012:role/eip-mover");
    // A port of its own; otherwise the connection to EC2 would serve both.
    let sts = behind.world.sim.serve_ec2_tls(behind.world.bind(), &behind.tls).unwrap().port();
    let run = run.env("AWS_ENDPOINT_URL_STS", format!("https://localhost:{sts}"));
    let outcome = run.env("HTTPS_PROXY", proxy.url()).ok();
    assert!(outcome.requests.iter().any(|request| request.operation == "AssumeRole"), "{}", outcome.told());
    let asked = proxy.asked();
    for port in [sts, behind.port] {
        let connect = format!("CONNECT localhost:{port} ");
        assert!(asked.iter().any(|line| line.starts_with(&connect)), "{asked:?}");
    }
}

/// [cred-2] The authorisation token would go to the proxy, and the proxy's own host might answer.
#[test]
fn a_container_is_not_queried_for_credentials_through_a_proxy() {
    let behind = BehindTls::new();
    let key = behind.node.role_key();
    behind.world.cloud.set_credentials(behind.node.id(), CredState::Missing404);
    let proxy = Proxy::start();
    let run = behind.start().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container(&key));
    let run = run.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret-token").secret("secret-token");
    let outcome = run
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env("HTTPS_PROXY", proxy.url())
        .env("NO_PROXY", "localhost")
        .ok();
    assert_eq!(proxy.asked(), Vec::<String>::new(), "{}", outcome.told());
}

#[test]
fn a_proxy_that_is_away_or_none_does_not_touch_the_metadata() {
    let behind = BehindTls::new();
    behind.start().ok();
    let away = format!("http://{}", refusing());
    let run = |run: Run| {
        run.env("HTTP_PROXY", &away)
            .env("HTTPS_PROXY", &away)
            .env("http_proxy", &away)
            .env("ALL_PROXY", &away)
    };
    run(behind.node.settled_monitor()).ok().ec2_calls(0);
    behind.node.settled_monitor().env("HTTPS_PROXY", "nonsense://").env("HTTP_PROXY", "::").ok();
    run(behind.node.probe().param("settle_window", "0")).ok();
    behind.world.cloud.disassociate(&behind.world.address);
    run(behind.start()).expect(1).ec2_calls(0).reason("no connection to the proxy: ");
}

/// [cred-2]
#[test]
fn what_is_exempt_from_the_proxy_is_reached_directly() {
    for (name, value) in [("NO_PROXY", "localhost"), ("no_proxy", "localhost,example.com"), ("NO_PROXY", "*")]
    {
        let behind = BehindTls::new();
        let proxy = Proxy::start();
        behind.start().env("HTTPS_PROXY", proxy.url()).env(name, value).ok();
        behind.world.held_by(&behind.node);
        assert_eq!(proxy.asked(), Vec::<String>::new(), "{name}={value}");
    }
}

#[test]
fn a_proxy_that_refuses_is_an_outage_and_its_password_stays_secret() {
    let behind = BehindTls::new();
    let proxy = Proxy::start();
    let url = proxy.url().replace("http://", "http://operator:correct-horse@");
    let traced = |run: Run| run.verbose().secret("correct-horse").env("HTTPS_PROXY", &url);
    traced(behind.start()).ok();
    behind.world.cloud.disassociate(&behind.world.address);
    // The proxy connects to loopback only.
    traced(behind.start().ec2_at("https://localhost:1")).expect(1).reason("the proxy refused");
}
