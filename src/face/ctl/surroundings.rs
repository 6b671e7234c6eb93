//! Observes what a takeover depends on outside the resource: the route to the EC2 API, proxies, folders, the installed
//! agent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::base::deadline::Deadline;
use crate::cloud::settings::Settings;
use crate::ocf::agent::Agent;
use crate::ocf::environment::Environment;
use crate::resource::surroundings::{Surroundings, Way};

/// Time limit for a name lookup.
const LOOKUP_LIMIT: Duration = Duration::from_secs(3);

/// Collects the observations; `endpoint` is the URL of the EC2 API, if known.
pub async fn observe(
    agent: &Agent,
    environment: &Environment,
    settings: &Settings,
    endpoint: Option<String>,
    folders: Vec<(PathBuf, Option<String>)>,
    deadline: &Deadline,
) -> Surroundings {
    let proxy = endpoint.as_ref().and_then(|url| proxy(environment, url));
    let limit = deadline.within(LOOKUP_LIMIT);
    let way = match proxy.clone().or_else(|| endpoint?.parse().ok()) {
        Some(url) => limit.bound(way(&url)).await.unwrap_or_else(|_| {
            let host = url.host().unwrap_or_default().to_owned();
            Some(Way::Lost { host, reason: "the name was not resolved in time".to_owned() })
        }),
        None => None,
    };
    let root = environment.get("OCF_ROOT").unwrap_or("/usr/lib/ocf");
    let agent = Path::new(root).join("resource.d/heartbeat").join(agent.name);
    let there = agent.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    Surroundings {
        region: settings.region.clone(),
        way,
        proxy: proxy.map(|proxy| proxy.to_string().trim_end_matches('/').to_owned()),
        folders,
        agent: Some((agent, there)),
    }
}

/// The proxy that a request to this URL uses.
fn proxy(environment: &Environment, url: &str) -> Option<Uri> {
    // As the client does: an empty variable hides the one in small letters.
    let variable = |name: &str| {
        environment.raw(name).or_else(|| environment.raw(&name.to_ascii_lowercase())).unwrap_or_default()
    };
    let proxies = Matcher::builder()
        .all(variable("ALL_PROXY"))
        .http(variable("HTTP_PROXY"))
        .https(variable("HTTPS_PROXY"))
        .no(variable("NO_PROXY"))
        .build();
    proxies.intercept(&url.parse().ok()?).map(|proxy| proxy.uri().clone())
}

/// Resolves the host name and determines the local source address, without sending packets to it.
async fn way(url: &Uri) -> Option<Way> {
    let host = url.host()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    let found = async {
        let to = tokio::net::lookup_host((host.as_str(), port)).await?.next();
        let to = to.ok_or_else(|| std::io::Error::other("the name has no address"))?;
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = tokio::net::UdpSocket::bind((any, 0)).await?;
        socket.connect(to).await?;
        Ok::<_, std::io::Error>((to.ip(), socket.local_addr()?.ip()))
    };
    Some(match found.await {
        Ok((to, from)) => Way::Found { host, to, from },
        Err(error) => Way::Lost { host, reason: error.to_string() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn a_proxy_is_found_unless_the_host_is_exempt() {
        let url = "https://ec2.eu-west-1.amazonaws.com";
        let found =
            |variables: &[(&str, &str)]| proxy(&environment(variables), url).map(|proxy| proxy.to_string());
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("https_proxy", "proxy:3128")]).as_deref(), Some("http://proxy:3128/"));
        for exempt in ["*", "amazonaws.com", ".amazonaws.com", "a, ec2.eu-west-1.amazonaws.com"] {
            assert_eq!(found(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", exempt)]), None, "{exempt}");
        }
        assert!(found(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "aws.com,10.0.0.0/8")]).is_some());
        assert_eq!(found(&[("HTTP_PROXY", "http://p:1")]), None);
        let with_password = [("HTTPS_PROXY", "http://user:secret@p:1")];
        assert_eq!(found(&with_password).as_deref(), Some("http://p:1/"));
        assert_eq!(
            found(&[("HTTPS_PROXY", ""), ("https_proxy", "http://p:1")]),
            None,
            "the client goes direct"
        );
        let by_address = "https://10.1.2.3";
        let networks = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8")];
        assert_eq!(proxy(&environment(&networks), by_address), None);
    }
}
