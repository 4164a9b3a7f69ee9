//! ServiceAccount, Role, ClusterRole and their bindings.

use serde::Serialize;

use super::Target;
use super::labels;
use super::object::{Map, Metadata, Object};

/// A ServiceAccount: its token is mounted only where a pod asks for it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceAccount {
    automount_service_account_token: bool,
}

/// The account of a Deployment named `app`.
pub(crate) fn service_account(target: &Target<'_>, app: &str) -> Object<ServiceAccount> {
    Object {
        api_version: "v1",
        kind: "ServiceAccount",
        metadata: target.metadata(app, app),
        body: ServiceAccount {
            automount_service_account_token: false,
        },
    }
}

/// A Secret that the cluster fills with a token of `account`; no value of ours is in it.
pub(crate) fn token_secret(target: &Target<'_>, account: &str) -> Object<TokenSecret> {
    let mut metadata = target.metadata(&format!("{account}-token"), account);
    metadata.annotations.insert(
        "kubernetes.io/service-account.name".into(),
        account.to_owned(),
    );
    Object {
        api_version: "v1",
        kind: "Secret",
        metadata,
        body: TokenSecret {
            r#type: "kubernetes.io/service-account-token",
        },
    }
}

/// See [`token_secret`].
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TokenSecret {
    r#type: &'static str,
}

/// What a role lets one do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

/// Verbs on resources, or on paths of the server itself.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_groups: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<&'static str>>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Option::is_none")]
    pub(crate) non_resource_urls: Option<Vec<&'static str>>,
    pub(crate) verbs: Vec<&'static str>,
}

impl Rule {
    /// Reading `resources` of `group`.
    pub(crate) fn read(group: &'static str, resources: &[&'static str]) -> Self {
        Self::on(group, resources, &["get", "list", "watch"])
    }

    /// `verbs` on `resources` of `group`.
    pub(crate) fn on(
        group: &'static str,
        resources: &[&'static str],
        verbs: &[&'static str],
    ) -> Self {
        Self {
            api_groups: Some(vec![group]),
            resources: Some(resources.to_vec()),
            non_resource_urls: None,
            verbs: verbs.to_vec(),
        }
    }
}

/// A Role in `namespace`, which may be another than the deployment's.
pub(crate) fn role(app: &str, namespace: &str, rules: Vec<Rule>) -> Object<Rules> {
    Object {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: in_namespace(app, namespace),
        body: Rules { rules },
    }
}

/// A ClusterRole.
pub(crate) fn cluster_role(target: &Target<'_>, name: &str, rules: Vec<Rule>) -> Object<Rules> {
    Object {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: target.cluster_metadata(name, name),
        body: Rules { rules },
    }
}

/// Whom a role is given to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Binding {
    role_ref: RoleRef,
    subjects: Vec<Subject>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleRef {
    api_group: &'static str,
    kind: &'static str,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
struct Subject {
    kind: &'static str,
    name: String,
    namespace: String,
}

/// Gives the Role `app` in `namespace` to the account `app` of the deployment's namespace.
pub(crate) fn role_binding(target: &Target<'_>, app: &str, namespace: &str) -> Object<Binding> {
    Object {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: in_namespace(app, namespace),
        body: binding(target, "Role", app.to_owned(), app),
    }
}

/// Gives the ClusterRole made as `name` to `account`.
pub(crate) fn cluster_role_binding(
    target: &Target<'_>,
    name: &str,
    account: &str,
) -> Object<Binding> {
    let metadata = target.cluster_metadata(name, name);
    let role = metadata.name.clone();
    Object {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata,
        body: binding(target, "ClusterRole", role, account),
    }
}

fn binding(target: &Target<'_>, kind: &'static str, role: String, account: &str) -> Binding {
    Binding {
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io",
            kind,
            name: role,
        },
        subjects: vec![Subject {
            kind: "ServiceAccount",
            name: account.to_owned(),
            namespace: target.namespace().to_owned(),
        }],
    }
}

fn in_namespace(app: &str, namespace: &str) -> Metadata {
    Metadata {
        name: app.to_owned(),
        namespace: Some(namespace.to_owned()),
        labels: labels::of(app),
        annotations: Map::new(),
    }
}
