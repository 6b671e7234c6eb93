//! What must never leave the agent: secret keys, tokens, signatures.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// What every session token, metadata token, authorisation header and signature of the simulator begins with.
const MARKS: [&str; 6] =
    ["IQoJb3JpZ2luX2Vj", "AQAE", "AWS4-HMAC-SHA256", "Signature=", "X-Amz-Security-Token", "SecretAccessKey"];

/// Returns the secret in a text, if there is one; `known` are others than those that can be told by their form.
pub(crate) fn find<'t>(text: &'t str, known: &'t [String]) -> Option<&'t str> {
    let known = known.iter().map(String::as_str);
    MARKS.into_iter().chain(known).find(|secret| text.contains(secret))
}

/// Returns the key id, the secret key and the session token that the metadata service at `imds` shows at present.
pub(crate) fn of_role(imds: SocketAddr) -> Option<[String; 3]> {
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let token = ask(imds, "PUT /latest/api/token", ttl)?;
    let header = format!("X-aws-ec2-metadata-token: {token}");
    let folder = "/latest/meta-data/iam/security-credentials/";
    let role = ask(imds, &format!("GET {folder}"), &header)?;
    let document = ask(imds, &format!("GET {folder}{}", role.trim()), &header)?;
    let field = |name: &str| {
        let (_, rest) = document.split_once(&format!("\"{name}\": \""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    Some([field("AccessKeyId")?, field("SecretAccessKey")?, field("Token")?])
}

/// Asks for one item and returns the body of a good answer.
fn ask(imds: SocketAddr, request: &str, header: &str) -> Option<String> {
    let mut stream = TcpStream::connect(imds).ok()?;
    let lines = format!("{request} HTTP/1.1\r\nHost: {imds}\r\n{header}\r\nConnection: close\r\n\r\n");
    stream.write_all(lines.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}
