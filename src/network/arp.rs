//! Gratuitous ARP: frames by which a host announces where an address is.

use std::net::Ipv4Addr;

use crate::base::ids::MacAddress;

const BROADCAST: [u8; 6] = [0xff; 6];
const ETHERTYPE_ARP: [u8; 2] = [0x08, 0x06];
/// Hardware type Ethernet, protocol IPv4, and the lengths of their addresses.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 0x08, 0, 6, 4];
/// Minimum Ethernet frame; not every driver pads.
const SHORTEST_FRAME: usize = 60;

/// The two frames that announce `ip` at `mac`: a request and a reply, because some hosts honour only the one and some
/// only the other.
///
/// # Source
/// RFC 5227, section 3: an announcement is a request whose sender and target address are the same.
pub fn announcements(mac: MacAddress, ip: Ipv4Addr) -> [Vec<u8>; 2] {
    [frame(1, mac, ip, [0; 6]), frame(2, mac, ip, mac.into())]
}

fn frame(operation: u8, mac: MacAddress, ip: Ipv4Addr, target: [u8; 6]) -> Vec<u8> {
    let mac: [u8; 6] = mac.into();
    let parts: [&[u8]; 9] = [
        &BROADCAST,
        &mac,
        &ETHERTYPE_ARP,
        &ETHERNET_IPV4,
        &[0, operation],
        &mac,
        &ip.octets(),
        &target,
        &ip.octets(),
    ];
    let mut frame = parts.concat();
    frame.resize(SHORTEST_FRAME, 0);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_announce_that_the_address_is_at_the_hardware_address() {
        let [request, answer] = announcements([2, 0, 0, 0, 0, 1].into(), Ipv4Addr::new(10, 0, 0, 12));
        let head = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0];
        for (frame, operation, target) in [(request, 1, [0; 6]), (answer, 2, [2, 0, 0, 0, 0, 1])] {
            assert_eq!(frame.len(), 60);
            assert_eq!(frame[..21], head);
            assert_eq!(frame[21], operation);
            assert_eq!(frame[22..32], [2, 0, 0, 0, 0, 1, 10, 0, 0, 12]);
            assert_eq!(frame[32..38], target);
            assert_eq!(frame[38..42], [10, 0, 0, 12]);
        }
    }
}
