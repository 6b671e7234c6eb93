//! The running simulator: its thread and its servers.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use eip::base::ids::InstanceId;

use crate::{
    cloud::Cloud,
    data_plane, http,
    imds::ImdsHandler,
    netns::{self, Bind},
    query::Endpoint,
    tls::Tls,
};

/// A simulator. Clones are handles on the same one; dropping the last one closes every server and connection.
#[derive(Clone, Debug)]
pub struct Sim {
    running: Arc<RunningServers>,
}

#[derive(Debug)]
struct RunningServers {
    cloud: Cloud,
    handle: Handle,
    stop: watch::Sender<bool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for RunningServers {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Sim {
    /// Starts a simulator with an empty account and no server yet.
    ///
    /// # Errors
    /// If the system provides no thread or event queue.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, mut stopped) = watch::channel(false);
        let thread = thread::Builder::new().name("aws-sim".to_owned()).spawn(move || {
            // A sender that is dropped without a message means the same.
            let _ = runtime.block_on(stopped.wait_for(|stop| *stop));
        })?;
        let threads = Mutex::new(vec![thread]);
        Ok(Self { running: Arc::new(RunningServers { cloud: Cloud::new(), handle, stop, threads }) })
    }

    /// A handle on the state.
    pub fn cloud(&self) -> Cloud {
        self.running.cloud.clone()
    }

    /// Serves EC2, STS and the control API over HTTP; returns the address.
    ///
    /// # Errors
    /// If the address or the namespace cannot be used.
    pub fn serve_ec2(&self, bind: impl Into<Bind>) -> io::Result<SocketAddr> {
        self.listen(&bind.into(), None, Endpoint { cloud: self.cloud() })
    }

    /// Serves the same over HTTPS; returns the address.
    ///
    /// # Errors
    /// If the address or the namespace cannot be used.
    pub fn serve_ec2_tls(&self, bind: impl Into<Bind>, tls: &Tls) -> io::Result<SocketAddr> {
        self.listen(&bind.into(), Some(tls.acceptor()), Endpoint { cloud: self.cloud() })
    }

    /// Serves the metadata of one instance; returns the address.
    ///
    /// # Errors
    /// If the address or the namespace cannot be used.
    pub fn serve_imds(&self, instance: &InstanceId, bind: impl Into<Bind>) -> io::Result<SocketAddr> {
        self.listen(&bind.into(), None, ImdsHandler { cloud: self.cloud(), instance: instance.clone() })
    }

    /// Serves an Elastic IP as the internet sees it: TCP connections to `eip:port` reach the same port of the holder's private
    /// address, or are closed at once if it is unassigned.
    ///
    /// Listens and connects inside the network namespace `netns`, in which the caller has put `eip` on an interface.
    ///
    /// # Errors
    /// If the address or the namespace cannot be used.
    pub fn serve_data_plane(&self, netns: Option<PathBuf>, eip: Ipv4Addr, port: u16) -> io::Result<()> {
        let bind = Bind { netns: netns.clone(), addr: (eip, port).into() };
        let listener = bind.listen()?;
        let cloud = self.cloud();
        let mut stopped = self.running.stop.subscribe();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("aws-sim-data".to_owned()).spawn(move || {
            // The namespace was already entered once, to bind.
            if netns.as_deref().map_or(Ok(()), netns::enter).is_err() {
                return;
            }
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = data_plane::serve(listener, cloud, eip, port) => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
        })?;
        self.running.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn listen<H: http::Handler>(
        &self,
        bind: &Bind,
        tls: Option<TlsAcceptor>,
        handler: H,
    ) -> io::Result<SocketAddr> {
        let listener = bind.listen()?;
        let addr = listener.local_addr()?;
        let _inside = self.running.handle.enter();
        let listener = TcpListener::from_std(listener)?;
        self.running.handle.spawn(http::serve(listener, tls, Arc::new(handler)));
        Ok(addr)
    }
}
