//! What `cargo metadata` tells about packages, as far as the checks need it.

use serde_json::Value;

use crate::process::Program;
use crate::workspace::Workspace;

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence expression, if its manifest has one.
    pub licence: Option<String>,
    /// Its folder relative to the checkout, with `/`; `None` for a package from elsewhere.
    pub folder: Option<String>,
    /// Names of the packages it depends on, of every kind (normal, build, development).
    pub dependencies: Vec<String>,
}

/// The packages of this workspace.
pub fn members(workspace: &Workspace) -> Result<Vec<Package>, String> {
    read(workspace, &["--no-deps".to_string()])
}

/// Every package that a build for one of the targets uses, members included.
pub fn all(workspace: &Workspace, targets: &[String]) -> Result<Vec<Package>, String> {
    let filters: Vec<String> =
        targets.iter().flat_map(|target| ["--filter-platform".to_string(), target.clone()]).collect();
    read(workspace, &filters)
}

fn read(workspace: &Workspace, arguments: &[String]) -> Result<Vec<Package>, String> {
    let cargo = Program::cargo(workspace.root())
        .args(["metadata", "--format-version", "1", "--quiet"])
        .args(arguments.iter().cloned());
    let metadata: Value = serde_json::from_str(&cargo.capture()?)
        .map_err(|error| format!("`{cargo}` did not print JSON: {error}"))?;
    packages(&metadata).ok_or_else(|| format!("`{cargo}` printed another form of JSON than expected"))
}

fn packages(metadata: &Value) -> Option<Vec<Package>> {
    let root = metadata.get("workspace_root")?.as_str()?.replace('\\', "/");
    metadata.get("packages")?.as_array()?.iter().map(|package| read_package(package, &root)).collect()
}

fn read_package(package: &Value, root: &str) -> Option<Package> {
    let text = |key: &str| package.get(key).and_then(Value::as_str).map(String::from);
    let manifest = text("manifest_path")?.replace('\\', "/");
    let folder = match package.get("source")? {
        Value::Null => manifest
            .strip_prefix(root)
            .and_then(|path| path.strip_suffix("/Cargo.toml"))
            .map(|path| path.trim_start_matches('/').to_string()),
        _ => None,
    };
    let dependencies = package
        .get("dependencies")?
        .as_array()?
        .iter()
        .map(|dependency| dependency.get("name").and_then(Value::as_str).map(String::from))
        .collect::<Option<Vec<_>>>()?;
    Some(Package {
        name: text("name")?,
        version: text("version")?,
        licence: text("license"),
        folder,
        dependencies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_cargos_json() {
        let metadata = serde_json::json!({
            "workspace_root": "/a",
            "packages": [
                { "name": "m", "version": "0.1.0", "license": "Apache-2.0", "source": null,
                  "manifest_path": "/a/core/m/Cargo.toml",
                  "dependencies": [{ "name": "x", "kind": null }, { "name": "y", "kind": "dev" }] },
                { "name": "x", "version": "1.0.0", "license": null, "source": "registry+x",
                  "manifest_path": "/b/x/Cargo.toml", "dependencies": [] },
            ],
        });
        let packages = packages(&metadata).unwrap();
        assert_eq!(packages[0].folder.as_deref(), Some("core/m"));
        assert_eq!(packages[0].dependencies, ["x", "y"]);
        assert_eq!((packages[1].folder.clone(), packages[1].licence.clone()), (None, None));
    }

    #[test]
    fn another_form_is_refused() {
        assert_eq!(packages(&serde_json::json!({ "packages": [{}], "workspace_root": "/a" })), None);
        assert_eq!(packages(&serde_json::json!([])), None);
    }
}
