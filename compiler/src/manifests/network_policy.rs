//! NetworkPolicy: who may reach a pod, and whom it may reach. What is not named is closed.

use serde::Serialize;

use super::Target;
use super::labels::{self, NAMESPACE_NAME};
use super::object::{Map, Object, Spec, pair};
use crate::program::Monitor;

/// A policy's spec.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkPolicy {
    pod_selector: Selector,
    policy_types: Vec<&'static str>,
    ingress: Vec<Ingress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    egress: Vec<Egress>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    #[serde(skip_serializing_if = "Map::is_empty")]
    match_labels: Map,
}

#[derive(Debug, Clone, Serialize)]
struct Ingress {
    from: Vec<Peer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port>,
}

#[derive(Debug, Clone, Serialize)]
struct Egress {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<Peer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port>,
}

/// The other side. An empty selector selects all.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace_selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_block: Option<Block>,
}

#[derive(Debug, Clone, Serialize)]
struct Block {
    cidr: &'static str,
    except: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Port {
    port: u16,
    protocol: &'static str,
}

fn tcp(port: u16) -> Port {
    Port {
        port,
        protocol: "TCP",
    }
}

impl Peer {
    /// Pods of the same namespace with `labels`.
    pub(crate) fn pods(labels: Map) -> Self {
        Self {
            pod_selector: Some(Selector {
                match_labels: labels,
            }),
            ..Self::default()
        }
    }

    /// Pods with `labels` in `namespace`.
    pub(crate) fn pods_in(namespace: &str, labels: Map) -> Self {
        Self {
            namespace_selector: Some(Selector {
                match_labels: pair(NAMESPACE_NAME, namespace),
            }),
            ..Self::pods(labels)
        }
    }

    /// Every pod of the same namespace.
    pub(crate) fn own_namespace() -> Self {
        Self::pods(Map::new())
    }

    /// Every pod of a namespace.
    pub(crate) fn namespace(name: &str) -> Self {
        Self {
            namespace_selector: Some(Selector {
                match_labels: pair(NAMESPACE_NAME, name),
            }),
            ..Self::default()
        }
    }

    /// Every pod of the cluster.
    pub(crate) fn cluster() -> Self {
        Self {
            namespace_selector: Some(Selector::default()),
            ..Self::default()
        }
    }

    /// Any address but the cloud's metadata service, which hands out the node's identity.
    fn anywhere() -> [Self; 2] {
        let block = |cidr, except| Self {
            ip_block: Some(Block { cidr, except }),
            ..Self::default()
        };
        [
            block("0.0.0.0/0", vec!["169.254.169.254/32"]),
            block("::/0", vec!["fd00:ec2::254/128"]),
        ]
    }
}

/// Where Prometheus runs: Azure's agent in kube-system, an operator's in `monitoring`.
pub(crate) fn prometheus(monitor: Monitor) -> Peer {
    match monitor {
        Monitor::Azure => Peer::namespace("kube-system"),
        Monitor::Prometheus => Peer::namespace("monitoring"),
    }
}

/// A policy as it grows.
pub(crate) struct Policy {
    name: String,
    app: String,
    spec: NetworkPolicy,
}

impl Policy {
    /// A policy on the pods of our Deployment `app`: nothing comes in or goes out.
    pub(crate) fn of(app: &str) -> Self {
        Self::on(app, labels::selector(app))
    }

    /// A policy named `name` on the pods with `labels`: nothing comes in or goes out.
    pub(crate) fn on(name: &str, labels: Map) -> Self {
        Self {
            name: name.to_owned(),
            app: name.to_owned(),
            spec: NetworkPolicy {
                pod_selector: Selector {
                    match_labels: labels,
                },
                policy_types: vec!["Ingress"],
                ingress: Vec::new(),
                egress: Vec::new(),
            },
        }
    }

    /// Lets `from` reach `ports`; no ports are all ports.
    pub(crate) fn admit(mut self, from: Vec<Peer>, ports: &[u16]) -> Self {
        self.spec.ingress.push(Ingress {
            from,
            ports: ports.iter().copied().map(tcp).collect(),
        });
        self
    }

    /// Lets Prometheus reach `port`, if anything scrapes.
    pub(crate) fn admit_monitor(self, monitor: Option<Monitor>, port: u16) -> Self {
        match monitor {
            Some(monitor) => self.admit(vec![prometheus(monitor)], &[port]),
            None => self,
        }
    }

    /// Lets the pods reach `port` of `to`.
    pub(crate) fn reach(mut self, to: Vec<Peer>, port: u16) -> Self {
        self.close_egress();
        self.spec.egress.push(Egress {
            to,
            ports: vec![tcp(port)],
        });
        self
    }

    /// Lets the pods reach `ports` outside the cluster.
    pub(crate) fn reach_anywhere(mut self, ports: &[u16]) -> Self {
        self.close_egress();
        self.spec.egress.push(Egress {
            to: Peer::anywhere().to_vec(),
            ports: ports.iter().copied().map(tcp).collect(),
        });
        self
    }

    /// Lets the pods reach any port in `namespace`: a policy sees the port behind a Service, which a URL does not name.
    pub(crate) fn reach_namespace(mut self, namespace: &str) -> Self {
        self.close_egress();
        self.spec.egress.push(Egress {
            to: vec![Peer::namespace(namespace)],
            ports: Vec::new(),
        });
        self
    }

    /// Lets the pods resolve names, wherever the resolver is: pods of kube-system, or, with a cache on the node, an
    /// address of the node or of the Service, which no selector selects and no file knows.
    pub(crate) fn reach_dns(mut self) -> Self {
        self.close_egress();
        let udp = Port {
            port: 53,
            protocol: "UDP",
        };
        self.spec.egress.push(Egress {
            to: Vec::new(),
            ports: vec![udp, tcp(53)],
        });
        self
    }

    fn close_egress(&mut self) {
        if !self.spec.policy_types.contains(&"Egress") {
            self.spec.policy_types.push("Egress");
        }
    }

    /// The object.
    pub(crate) fn object(self, target: &Target<'_>) -> Object<Spec<NetworkPolicy>> {
        let metadata = target.metadata(&self.name, &self.app);
        Object::with_spec("networking.k8s.io/v1", "NetworkPolicy", metadata, self.spec)
    }
}
