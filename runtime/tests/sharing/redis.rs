//! A Redis of the test's own, on a unix socket, that can be paused, killed and begun anew.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::until;

pub(crate) struct Redis {
    process: Option<Child>,
    socket: PathBuf,
}

impl Redis {
    /// `None`, which is said, where it is not installed.
    pub(crate) fn start(socket: PathBuf) -> Option<Self> {
        let mut redis = Self {
            process: None,
            socket,
        };
        if Command::new("redis-server")
            .arg("--version")
            .output()
            .is_err()
        {
            eprintln!("skipped: there is no `redis-server`");
            return None;
        }
        redis.begin();
        Some(redis)
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Begins with nothing.
    pub(crate) fn begin(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(&self.socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        until("Redis is there", || {
            UnixStream::connect(&self.socket).is_ok() || {
                thread::yield_now();
                false
            }
        });
    }

    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// `kill -9`: nothing of it is left.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
