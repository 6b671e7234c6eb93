//! A simulator with two instances and an address, and a client made of a bare socket.

use std::{
    error::Error,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_sim::{Address, Bind, Cloud, Instance, InstanceSpec, InterfaceId, Sim};

/// Result of a test.
pub type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// Long enough for every expected response.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub const KEY: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The account of most tests.
pub struct Lab {
    pub sim: Sim,
    pub cloud: Cloud,
    pub ec2: SocketAddr,
    pub a: Instance,
    pub b: Instance,
    pub eip: Address,
}

impl Lab {
    pub fn new() -> TestResult<Self> {
        let sim = Sim::start()?;
        let cloud = sim.cloud();
        cloud.add_access_key(KEY, SECRET);
        let a = cloud.add_instance(InstanceSpec::with_ip(Ipv4Addr::new(10, 0, 1, 10)));
        let b = cloud.add_instance(InstanceSpec::with_ip(Ipv4Addr::new(10, 0, 1, 20)));
        let eip = cloud.allocate(None);
        let ec2 = sim.serve_ec2(Bind::loopback())?;
        Ok(Self { sim, cloud, ec2, a, b, eip })
    }

    /// Calls an EC2 action with the static key.
    pub fn call(&self, action: &str, params: &[(&str, &str)]) -> TestResult<RawResponse> {
        RawResponse::read(&exchange(self.ec2, &Signer::default().ec2(action, params)?)?)
    }

    pub fn associate(&self, eni: &InterfaceId) -> TestResult<RawResponse> {
        self.call(
            "AssociateAddress",
            &[("AllocationId", &self.eip.allocation_id), ("NetworkInterfaceId", eni)],
        )
    }

    pub fn describe(&self) -> TestResult<RawResponse> {
        self.call("DescribeAddresses", &[("AllocationId.1", &self.eip.allocation_id)])
    }
}

/// The primary interface of an instance.
pub fn eni(instance: &Instance) -> TestResult<&InterfaceId> {
    Ok(&instance.interfaces.first().ok_or("an instance without interface")?.eni)
}

/// Makes signed requests.
pub struct Signer<'a> {
    pub key: &'a str,
    pub secret: &'a str,
    pub token: Option<&'a str>,
    pub region: &'a str,
    pub service: &'a str,
    pub time: SystemTime,
}

impl Default for Signer<'_> {
    fn default() -> Self {
        Self {
            key: KEY,
            secret: SECRET,
            token: None,
            region: "eu-west-1",
            service: "ec2",
            time: SystemTime::now(),
        }
    }
}

impl Signer<'_> {
    pub fn ec2(&self, action: &str, params: &[(&str, &str)]) -> TestResult<Vec<u8>> {
        self.request(&form(action, "2016-11-15", params))
    }

    pub fn sts(&self, action: &str, params: &[(&str, &str)]) -> TestResult<Vec<u8>> {
        self.request(&form(action, "2011-06-15", params))
    }

    /// A complete request, header and body.
    pub fn request(&self, body: &str) -> TestResult<Vec<u8>> {
        let token = self.token.map(str::to_owned);
        let identity = Credentials::new(self.key, self.secret, token, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("host", "ec2.test"), ("content-type", "application/x-www-form-urlencoded")];
        let signable = SignableRequest::new(
            "POST",
            "http://ec2.test/",
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut text = format!("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        Ok(text.into_bytes())
    }
}

fn form(action: &str, version: &str, params: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", version).extend_pairs(params);
    form.finish()
}

/// An HTTP response, read from a connection that has ended.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl RawResponse {
    pub fn read(bytes: &[u8]) -> TestResult<Self> {
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no HTTP head")?;
        let (head, body) = bytes.split_at(at);
        let head = String::from_utf8(head.to_vec())?;
        let status = head.split_whitespace().nth(1).ok_or("no status")?.parse()?;
        Ok(Self { status, head, body: body.get(4..).unwrap_or_default().to_vec() })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| of(line))?.split_once(':').map(|(_, value)| value.trim())
    }

    /// Text of the first element of that name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(value, _)| value.to_owned())
    }

    /// Status and error code.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.element("Code").unwrap_or_default())
    }
}

/// Sends `request` on its own connection and returns everything received until that ends.
pub fn exchange(addr: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    exchange_within(addr, request, PATIENCE)
}

/// The same with a limit for each read; exceeding it fails with `WouldBlock`.
pub fn exchange_within(addr: SocketAddr, request: &[u8], limit: Duration) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Sends an unsigned request with these additional header lines.
pub fn plain(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> TestResult<RawResponse> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    RawResponse::read(&exchange(addr, request.as_bytes())?)
}
