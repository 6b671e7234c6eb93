//! Which interface of this node is meant, for every kind of address.

use super::World;
use crate::cloud::Imds as _;
use crate::error::Error;
use crate::host::Host as _;
use crate::ids::MacAddress;
use crate::params::InterfaceSelector;

/// Finds the interface by its configured name, by one look at the metadata service.
pub(super) async fn find_mac<W: World>(world: &W, selector: &InterfaceSelector) -> Result<MacAddress, Error> {
    let imds = world.imds();
    match selector {
        InterfaceSelector::Primary => Ok(imds.primary_mac().await?),
        InterfaceSelector::Device(device) => {
            world.host().mac_of(device).ok_or_else(|| Error::NoDevice(device.clone()))
        }
        InterfaceSelector::Mac(mac) => Ok(*mac),
        InterfaceSelector::Eni(id) => {
            for mac in imds.macs().await? {
                if imds.interface(mac).await?.id == *id {
                    return Ok(mac);
                }
            }
            Err(Error::NoInterface(id.to_string()))
        }
        InterfaceSelector::Index(index) => {
            for mac in imds.macs().await? {
                if imds.device_index(mac).await? == *index {
                    return Ok(mac);
                }
            }
            Err(Error::NoInterface(format!("number {index}")))
        }
    }
}
