//! Nodes as the examples expect them: newly installed machines in AWS with the real pcs, pcsd and crmsh, but no cluster yet. EC2
//! is at AWS's own host name, so that no example needs another endpoint.
//!
//! Simulated are systemd, the package manager and AWS.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use aws_sim::{Tls, Validity};
use cluster::command::Cmd;
use cluster::error::{HarnessError, Result};
use cluster::pacemaker::{ClusterOptions, PacemakerCluster};
use cluster::state_dir::StateDir;
use cluster::topology::{CLOUD_IP, Layout, NodeName, WEB_PORT};

use crate::cli::ExamplesPlan;

/// Host names under which the SDK and the AWS CLI look for EC2 and STS in the simulator's region.
const ENDPOINTS: [&str; 2] = ["ec2.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"];
/// Programs that stand in for others, with the names under which `prepare.sh` finds them.
const STAND_INS: [(&str, &str); 5] = [
    ("systemctl", include_str!("systemctl.sh")),
    ("installer", include_str!("installer.sh")),
    ("aws", include_str!("aws.sh")),
    ("one-parameter-eip", include_str!("one-parameter-eip.sh")),
    ("sap-instance", include_str!("sap-instance.sh")),
];
/// The CA bundles of Debian and of the RHEL family.
const BUNDLES: [&str; 2] = ["ssl/certs/ca-certificates.crt", "pki/ca-trust/extracted/pem/tls-ca-bundle.pem"];

/// Boots two nodes without a cluster.
///
/// # Errors
/// If any part fails to come up.
pub fn boot(plan: &ExamplesPlan, layout: Layout) -> Result<PacemakerCluster> {
    let tls = Tls::new(&ENDPOINTS, Validity::Now).map_err(HarnessError::io("making a certificate"))?;
    // The examples set the token.
    let options =
        ClusterOptions { agent: plan.agent.clone(), nodes: 2, token: Duration::from_secs(1), layout };
    let cluster = PacemakerCluster::boot(&options, |state, node| prepare(state, node, layout, plan, &tls))?;
    cluster.world().serve_https(cluster.net(), &tls)?;
    Ok(cluster)
}

fn prepare(state: &StateDir, node: NodeName, layout: Layout, plan: &ExamplesPlan, tls: &Tls) -> Result<()> {
    if !state.path().join("examples").exists() {
        share(state, plan)?;
    }
    let folder = state.path().join(node.to_string());
    let etc = folder.join("etc");
    copy("/etc".as_ref(), &etc)?;
    for bundle in BUNDLES.map(|bundle| etc.join(bundle)).iter().filter(|bundle| bundle.is_file()) {
        append(bundle, tls.ca_pem())?;
    }
    // nginx answers like the harness's own web server: with the name of the node.
    state.write(&format!("{node}/etc/nginx/nginx.conf"), &nginx(node, layout))?;
    let names = ENDPOINTS.map(|name| format!("{CLOUD_IP} {name}\n")).concat();
    append(&folder.join("hosts"), &names)?;
    executable(state, &format!("{node}/prepare"), include_str!("prepare.sh"))
}

fn share(state: &StateDir, plan: &ExamplesPlan) -> Result<()> {
    copy(&plan.examples, &state.path().join("examples"))?;
    for (name, text) in STAND_INS {
        executable(state, name, text)?;
    }
    let python = fs::canonicalize(&plan.python)
        .map_err(HarnessError::io(format_args!("the Python packages {}", plan.python.display())))?;
    std::os::unix::fs::symlink(python, state.path().join("python"))
        .map_err(HarnessError::io("linking the Python packages"))
}

fn nginx(node: NodeName, layout: Layout) -> String {
    // Not on every address: the metadata service uses this port, too.
    let addresses =
        [Ipv4Addr::LOCALHOST, node.address()].map(IpAddr::from).into_iter().chain(layout.shared());
    let listen: Vec<_> =
        addresses.map(|address| format!("    listen {};", SocketAddr::new(address, WEB_PORT))).collect();
    let listen = listen.join("\n");
    format!(
        "pid /run/nginx.pid;
error_log /var/log/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path /run/nginx-body;
  proxy_temp_path /run/nginx-proxy;
  fastcgi_temp_path /run/nginx-fastcgi;
  uwsgi_temp_path /run/nginx-uwsgi;
  scgi_temp_path /run/nginx-scgi;
  server {{
{listen}
    return 200 \"{node}\\n\";
  }}
}}
"
    )
}

fn executable(state: &StateDir, name: &str, text: &str) -> Result<()> {
    let path = state.write(name, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(HarnessError::io(format_args!("making {name} executable")))
}

fn append(path: &Path, text: &str) -> Result<()> {
    let writing = || format!("adding to {}", path.display());
    let mut file = File::options().append(true).open(path).map_err(HarnessError::io(writing()))?;
    file.write_all(text.as_bytes()).map_err(HarnessError::io(writing()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    Cmd::new(["cp", "-a", &from.display().to_string(), &to.display().to_string()]).run().map(drop)
}
