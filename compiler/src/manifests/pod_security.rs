//! What our containers may do: nothing that the restricted Pod Security Standard refuses.

use serde::Serialize;

/// The uid that distroless images run as. It is written out, since an image whose user is a name fails
/// `runAsNonRoot`.
const NONROOT: u32 = 65532;

/// A pod's security context.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodSecurity {
    fs_group: u32,
    run_as_group: u32,
    run_as_non_root: bool,
    run_as_user: u32,
    seccomp_profile: SeccompProfile,
}

#[derive(Debug, Clone, Serialize)]
struct SeccompProfile {
    r#type: &'static str,
}

/// A container's security context.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerSecurity {
    allow_privilege_escalation: bool,
    capabilities: Capabilities,
    read_only_root_filesystem: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Capabilities {
    drop: [&'static str; 1],
}

/// Not root, the runtime's own seccomp profile.
pub(crate) fn pod() -> PodSecurity {
    PodSecurity {
        fs_group: NONROOT,
        run_as_group: NONROOT,
        run_as_non_root: true,
        run_as_user: NONROOT,
        seccomp_profile: SeccompProfile {
            r#type: "RuntimeDefault",
        },
    }
}

/// No capability, no way to more, nothing written to the image.
pub(crate) fn container() -> ContainerSecurity {
    ContainerSecurity {
        allow_privilege_escalation: false,
        capabilities: Capabilities { drop: ["ALL"] },
        read_only_root_filesystem: true,
    }
}
