//! An Elastic IP as the internet sees it: TCP connections to it reach the current holder.
//!
//! EC2 maps each packet one to one; relaying connections is close enough to show where new traffic goes and when that changes. A
//! connection made before a move stays with the old holder until either end closes it.

use std::{io, net::Ipv4Addr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::cloud::Cloud;

/// Relays connections from `listener` to `port` of the holder's private address, for ever.
///
/// If the address is unassigned, the connection is closed at once. The caller has to be in the network namespace
/// that leads to the instances.
pub(crate) async fn serve(listener: TcpListener, cloud: Cloud, eip: Ipv4Addr, port: u16) {
    let cloud = Arc::new(cloud);
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        let cloud = Arc::clone(&cloud);
        tokio::spawn(async move {
            // When either end closes or fails, the relay ends; both see it on their own side.
            let _ = relay(client, &cloud, eip, port).await;
        });
    }
}

async fn relay(mut client: TcpStream, cloud: &Cloud, eip: Ipv4Addr, port: u16) -> io::Result<()> {
    let Some(holder) = cloud.holder(eip) else { return Ok(()) };
    let mut node = TcpStream::connect((holder.private_ip, port)).await?;
    client.set_nodelay(true)?;
    node.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut node).await?;
    Ok(())
}
