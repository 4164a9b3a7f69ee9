//! What a plan calls its files: as seen from the folder of the first, so that a build is the same wherever it runs.

use waypost_lang::SourceMap;

/// The names, in the order of the files.
pub(super) fn lower(sources: &SourceMap) -> Vec<String> {
    let mut files = sources.files().map(|(_, file)| file.name());
    let Some(first) = files.next() else {
        return Vec::new();
    };
    let (folder, own) = first.rsplit_once('/').unwrap_or(("", first));
    let folder = parts(folder);
    let is_absolute = first.starts_with('/');
    let imported = files.map(|name| {
        // A pack of the standard library has the same name everywhere.
        if name.starts_with("std/") {
            name.to_owned()
        } else if name.starts_with('/') == is_absolute {
            from(&folder, &parts(name))
        } else {
            name.rsplit('/').next().unwrap_or(name).to_owned()
        }
    });
    std::iter::once(own.to_owned()).chain(imported).collect()
}

/// The parts of a path, without `.` and with `..` only at its start.
fn parts(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            (part, _) => parts.push(part),
        }
    }
    parts
}

fn from(folder: &[&str], path: &[&str]) -> String {
    let shared = folder
        .iter()
        .zip(path)
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder.iter().skip(shared).map(|_| "..");
    let down = path.iter().skip(shared).copied();
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::lower;
    use waypost_lang::SourceMap;

    fn names(files: &[&str]) -> Vec<String> {
        let mut sources = SourceMap::default();
        for name in files {
            sources.add(*name, "");
        }
        lower(&sources)
    }

    #[test]
    fn names_are_the_same_from_every_folder() {
        let expected = ["a.route", "std/agents.route", "lib/b.route", "../c.route"];
        for files in [
            ["a.route", "std/agents.route", "lib/b.route", "../c.route"],
            ["./a.route", "std/agents.route", "lib/b.route", "../c.route"],
            ["x/a.route", "std/agents.route", "x/lib/b.route", "c.route"],
            [
                "y/../x/a.route",
                "std/agents.route",
                "x/lib/b.route",
                "c.route",
            ],
            [
                "/p/x/a.route",
                "std/agents.route",
                "/p/x/lib/b.route",
                "/p/c.route",
            ],
            [
                "../x/a.route",
                "std/agents.route",
                "../x/lib/b.route",
                "../c.route",
            ],
        ] {
            assert_eq!(names(&files), expected, "{files:?}");
        }
    }
}
