//! Secrets as files, which is how containers are handed them: `NAME_FILE` names the file that holds what `NAME` would.

use super::{Environment, Mistake};

const SECRETS: [&str; 3] = ["CAUSEWAY_SECRET", "CAUSEWAY_CLIENT_SECRET", "ATLASSIAN_CLIENT_SECRET"];

/// `env` with the secrets that stand in files, and what was wrong with the files.
pub fn read(env: &Environment) -> (Environment, Vec<Mistake>) {
    let (mut complete, mut mistakes) = (env.clone(), Vec::new());
    for name in SECRETS {
        let variable = named(name);
        let Some(path) = env.get(&variable).map(|path| path.trim()).filter(|path| !path.is_empty()) else {
            continue;
        };
        match secret(env, name, path) {
            Ok(text) => drop(complete.insert(name.to_owned(), text)),
            Err(message) => mistakes.push(Mistake { variable, message }),
        }
    }
    (complete, mistakes)
}

/// The variable that names a file instead of holding the secret `name` itself.
pub fn named(name: &str) -> String {
    format!("{name}_FILE")
}

fn secret(env: &Environment, name: &str, path: &str) -> Result<String, String> {
    if env.get(name).is_some_and(|value| !value.trim().is_empty()) {
        return Err(format!("is set together with {name}. Keep one"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("names the file {path:?}, which cannot be read: {error}"))?;
    if text.trim().is_empty() {
        return Err(format!("names the file {path:?}, which is empty"));
    }
    Ok(text)
}
