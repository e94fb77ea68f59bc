//! What keeps a server from starting, found before anything is started: `serve` refuses it, and `check` tells it.

use crate::engines;
use crate::tls::Certificate;
use ringway_config::{Config, Loaded, Origin, Problem, Sources, load};
use ringway_knowledge::When;
use ringway_stages::dialogue::{Diagnostic, Dialogues};
use ringway_stages::transfer::Transfers;
use ringway_tools::{Mistake, ToolsFile};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Builder;

/// What a configuration says, and all that is wrong with it and with the files that it names.
#[derive(Debug)]
pub struct Validation {
    /// What could be read.
    pub loaded: Loaded,
    /// What keeps a server from starting.
    pub problems: Vec<Problem>,
    /// What does not, and is not what was meant.
    pub warnings: Vec<Problem>,
}

/// What is said of a tool that can do nothing.
const NOBODY: &str = "the tool transfer is not offered to the model, since it has nobody to transfer calls to: list them in \
                      transfer.targets or transfer.allow";

impl Validation {
    /// Reads the configuration and all that it names, but for what takes as long as a start does.
    pub fn of(sources: Sources<Vec<(String, String)>>) -> Self {
        let (loaded, problems) = match load(sources) {
            Ok(loaded) => (loaded, Vec::new()),
            Err(wrong) => (*wrong.readable, wrong.found),
        };
        let warnings = loaded.warnings.clone();
        let mut found = Self { loaded, problems, warnings };
        let tools = found.tools();
        found.dialogues();
        found.folders();
        found.certificate();
        found.services();
        found.knowledge(tools.as_ref());
        found.sort();
        found
    }

    /// With what only loading the engines and the knowledge base shows.
    pub fn with_engines(mut self) -> Self {
        if self.is_good("vad")
            && let Err(error) = engines::one_vad(&self.loaded.config)
        {
            self.wrong("vad.model", error.to_string());
        }
        #[cfg(feature = "knowledge")]
        self.open_knowledge();
        self.sort();
        self
    }

    /// As they are met when the files are read from top to bottom.
    fn sort(&mut self) {
        for found in [&mut self.problems, &mut self.warnings] {
            found.sort_by(|one, other| one.origin.cmp(&other.origin));
        }
    }

    #[cfg(feature = "knowledge")]
    fn open_knowledge(&mut self) {
        let index = self.loaded.config.knowledge.index.clone();
        if index.is_some_and(|index| ringway_knowledge::About::lies_in(&index)) && self.is_good("knowledge") {
            let opened = in_runtime(|| engines::one_librarian(&self.loaded.config, &self.loaded.secrets));
            if let Ok(Err(engines::EngineError::Knowledge(error))) = opened {
                self.wrong("knowledge.index", error.to_string());
            }
        }
    }

    /// Nothing is wrong yet with this key, or with those in this section: what follows from a mistake is none of its own.
    fn is_good(&self, key: &str) -> bool {
        let within = |problem: &Problem| {
            problem.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        !self.problems.iter().any(within)
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(self.loaded.problem(key, message));
    }

    fn doubtful(&mut self, key: &str, message: impl Into<String>) {
        self.warnings.push(self.loaded.problem(key, message));
    }

    /// The declarations of tools; none where they have mistakes.
    fn tools(&mut self) -> Option<ToolsFile> {
        let config = &self.loaded.config;
        // A file that is missing is told already.
        let file = config.tools.file.clone().filter(|file| file.is_file())?;
        let read = ToolsFile::load(&file, &|variable| engines::variable(variable))
            .and_then(|tools| tools.speaking(engines::languages(config)).map_err(|mistake| vec![mistake]));
        match read {
            Ok(tools) => {
                let unusable = in_runtime(|| tools.unusable()).unwrap_or_default();
                self.problems.extend(unusable.into_iter().map(of_tools));
                let transfers = Arc::new(Transfers::new(&config.transfer).unwrap_or_default());
                let tools = tools.transferring(transfers);
                if tools.transfers_to_nobody() {
                    self.doubtful("tools.file", NOBODY);
                }
                Some(tools)
            }
            Err(mistakes) => {
                self.problems.extend(mistakes.into_iter().map(of_tools));
                None
            }
        }
    }

    /// The dialogues, where any are held.
    fn dialogues(&mut self) {
        let config = &self.loaded.config;
        let dir = config.dialogue.dir.clone();
        let held = config.llm.engines.iter().any(|name| name == "dialogue");
        // A folder that is missing is told already.
        if !held || !dir.is_dir() || !self.is_good("llm.engines") || !self.is_good("dialogue.dir") {
            return;
        }
        self.problems.extend(of_dialogues(config, &dir));
    }

    /// Folders that calls are recorded in, and speech is kept in.
    fn folders(&mut self) {
        let Config { recording, tts_cache, .. } = &self.loaded.config;
        let speech = tts_cache.dir.clone().filter(|_| tts_cache.disk > 0);
        for (key, dir) in [("recording.dir", recording.dir.clone()), ("tts_cache.dir", speech)] {
            let written =
                dir.map(|dir| writable(&dir).map_err(|error| format!("{}: {error}", dir.display())));
            if let Some(Err(reason)) = written {
                self.wrong(key, format!("cannot be written to: {reason}"));
            }
        }
    }

    fn certificate(&mut self) {
        let server = &self.loaded.config.server;
        let Some(tls) = server.tls.clone().filter(|_| self.is_good("server.tls")) else { return };
        if let Err(error) = Certificate::read(tls, server.listen) {
            self.wrong("server.tls", error.to_string());
        }
    }

    /// Services that cannot even be tried.
    fn services(&mut self) {
        let Loaded { config, secrets, .. } = &self.loaded;
        let unusable = in_runtime(|| engines::unusable_services(config, secrets)).unwrap_or_default();
        for (name, message) in unusable {
            self.wrong(&format!("{name}.url"), message);
        }
    }

    /// What is known is looked up by a tool of a model, or given to a model with each turn.
    fn knowledge(&mut self, tools: Option<&ToolsFile>) {
        let config = &self.loaded.config;
        let is_model = |name: &String| !["dialogue", "scripted"].contains(&name.as_str());
        let asks = config.llm.engines.iter().any(is_model);
        let speaks = config.speech_to_speech.engines.iter().any(|name| name == "openai_realtime");
        let looks_up = tools.is_some_and(ToolsFile::looks_up);
        let is_tool = config.knowledge.when == When::Tool;
        match &config.knowledge.index {
            None if looks_up => {
                self.doubtful("knowledge.index", "is not set: the tool look_up will find nothing");
            }
            Some(_) if !asks && !speaks => {
                self.doubtful(
                    "knowledge.index",
                    "nothing looks into it: neither llm.engines nor \
                    speech_to_speech.engines names a language model",
                );
            }
            Some(_) if is_tool && !looks_up && (config.tools.file.is_none() || tools.is_some()) => {
                self.doubtful(
                    "knowledge.index",
                    "nothing looks into it: declare [built_in.look_up] in tools.file, \
                    or set knowledge.when to \"turn\"",
                );
            }
            Some(_) if !is_tool && !asks && !looks_up => {
                self.doubtful(
                    "knowledge.index",
                    "nothing looks into it: a service that hears and speaks \
                    needs [built_in.look_up] in tools.file",
                );
            }
            _ => {}
        }
    }
}

fn of_tools(mistake: Mistake) -> Problem {
    let Mistake { file, line, key, message } = mistake;
    Problem { origin: Origin::File { path: file, line }, key, message }
}

fn of_dialogues(config: &Config, dir: &Path) -> Vec<Problem> {
    let words = config.dictionary();
    let pronounceable = |word: &str| words.as_ref().is_none_or(|words| words.pronounceable(word));
    let transfers = Arc::new(Transfers::new(&config.transfer).unwrap_or_default());
    let loaded = Dialogues::load(dir, &pronounceable);
    let diagnostics =
        loaded.and_then(|dialogues| dialogues.with_transfers(transfers)).err().unwrap_or_default();
    let problem = |Diagnostic { file, line, key, message }| Problem {
        origin: Origin::File { path: file, line },
        key,
        message,
    };
    diagnostics.into_iter().map(problem).collect()
}

/// Whether files can be made in a folder, or the folder itself where it is not there yet.
fn writable(dir: &Path) -> io::Result<()> {
    let there = dir.ancestors().find(|dir| dir.exists() || dir.as_os_str().is_empty());
    let there = there.filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory));
    }
    let probe = there.join(format!(".ringway-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    std::fs::remove_file(probe)
}

/// Services are set up on a runtime, which ends with this.
fn in_runtime<T>(setup: impl FnOnce() -> T) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _guard = runtime.enter();
    Ok(setup())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use std::path::PathBuf;

    /// A folder that is gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn of(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ringway-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        fn path(&self, name: &str) -> String {
            self.0.join(name).display().to_string()
        }

        /// What is found with this configuration, of scripted engines beside it.
        fn validated(&self, text: &str) -> Validation {
            let there = self.file("there", "").display().to_string();
            let engines = ["STT", "LLM", "TTS"].map(|stage| format!("RINGWAY_{stage}__ENGINES"));
            let mut environment: Vec<_> =
                engines.into_iter().map(|name| (name, "scripted".to_owned())).collect();
            let models = ["RINGWAY_VAD__LIBRARY", "RINGWAY_VAD__MODEL"];
            environment.extend(models.map(|name| (name.to_owned(), there.clone())));
            let file = Some(self.file("a.toml", text));
            Validation::of(Sources { file, environment, flags: Vec::new() })
        }

        fn told(&self, text: &str) -> Vec<String> {
            let lines = self.validated(text).problems.into_iter().map(|problem| problem.to_string());
            lines.map(|line| line.replace(&format!("{}/", self.0.display()), "")).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_good_has_no_problems() {
        assert_eq!(Folder::of("good").told(""), [""; 0]);
    }

    #[test]
    fn the_shipped_dialogues_are_good() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/dialogue");
        assert_eq!(of_dialogues(&Config::default(), Path::new(shipped)), []);
    }

    #[test]
    fn a_mistake_in_a_dialogue_is_told_with_its_line() {
        let dir = Folder::of("dialogue");
        dir.file("menu.toml", "start = \"main\"\n[state.mian]\nhang_up = true");
        let problems = of_dialogues(&Config::default(), &dir.0);
        let first =
            format!("{}:1: start: there is no state \"main\"; there are: mian", dir.path("menu.toml"));
        assert_eq!(problems[0].to_string(), first);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_told_at_its_key() {
        let dir = Folder::of("folders");
        let file = dir.file("taken", "").display().to_string();
        let text = format!("[recording]\ndir = \"{file}/calls\"\n[tts_cache]\ndir = \"{file}\"\n");
        let problems = dir.told(&text);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].starts_with("a.toml:2: recording.dir: cannot be written to: taken/calls: "),
            "{problems:?}"
        );
        assert!(
            problems[1].starts_with("a.toml:4: tts_cache.dir: cannot be written to: taken: "),
            "{problems:?}"
        );
        let text = format!("[recording]\ndir = \"{}\"\n", dir.path("not/there/yet"));
        assert_eq!(dir.told(&text), [""; 0]);
        assert!(!dir.0.join("not").exists(), "only a server makes it");
    }

    #[test]
    fn mistakes_are_told_in_the_order_of_their_lines_whoever_finds_them() {
        let dir = Folder::of("order");
        let file = dir.file("taken", "").display().to_string();
        let text = format!("[recording]\ndir = \"{file}/calls\"\n[server]\nport = 65536\n[vad]\nrate = 3\n");
        let problems = dir.told(&text);
        let places: Vec<_> = problems.iter().map(|problem| problem.split(' ').next().unwrap()).collect();
        assert_eq!(places, ["a.toml:2:", "a.toml:4:", "a.toml:6:"], "{problems:?}");
    }

    #[test]
    fn a_certificate_that_is_none_or_of_another_key_is_told() {
        let dir = Folder::of("certificate");
        let pair = || rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let (one, other) = (pair(), pair());
        dir.file("one.pem", &one.cert.pem());
        dir.file("one.key", &one.signing_key.serialize_pem());
        dir.file("other.key", &other.signing_key.serialize_pem());
        let told = |certificate: &str, key: &str| {
            dir.told(&format!("[server]\ntls = \"{},{}\"\n", dir.path(certificate), dir.path(key)))
        };
        assert_eq!(told("one.pem", "one.key"), [""; 0]);
        for (certificate, key) in [("one.pem", "other.key"), ("one.key", "one.key"), ("one.pem", "one.pem")] {
            let problems = told(certificate, key);
            assert!(problems.len() == 1 && problems[0].starts_with("a.toml:2: server.tls: "), "{problems:?}");
        }
    }

    #[test]
    fn all_mistakes_of_a_file_of_tools_are_told() {
        let dir = Folder::of("tools");
        let tools = dir.file("tools.toml", "[http.a]\ntimeout = 5\n[built_in.switch_language]\ncolour = 1\n");
        let problems = dir.told(&format!("[tools]\nfile = \"{}\"\n", tools.display()));
        let places: Vec<_> =
            problems.iter().map(|problem| problem.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        let expected = [
            "tools.toml:1: http.a.description:",
            "tools.toml:1: http.a.url:",
            "tools.toml:2: http.a.timeout:",
            "tools.toml:4: built_in.switch_language.colour:",
        ];
        assert_eq!(places, expected);
        std::fs::write(&tools, "[built_in.hang_up]\n[built_in.switch_language]\n").unwrap();
        let problems = dir.told(&format!("[tools]\nfile = \"{}\"\n", tools.display()));
        assert!(problems[0].starts_with("tools.toml:2: built_in.switch_language: "), "{problems:?}");
    }

    #[test]
    fn a_knowledge_base_that_nothing_looks_into_is_warned_of() {
        let dir = Folder::of("knowledge");
        dir.file("about.json", "{}");
        let tools = dir.file("tools.toml", "[built_in.look_up]\n").display().to_string();
        let knowledge = format!("[knowledge]\nindex = \"{}\"\n", dir.0.display());
        let model = "[speech_to_speech]\nengines = [\"openai_realtime\"]\n[openai_realtime]\nurl = \"ws://127.0.0.1:9\"\n";
        let declared = format!("[tools]\nfile = \"{tools}\"\n");
        for (text, warns) in [
            (knowledge.clone(), true),
            (format!("{knowledge}{model}"), true),
            (format!("{knowledge}when = \"turn\"\n{model}"), true),
            (format!("{knowledge}{model}{declared}"), false),
            (format!("{model}{declared}"), true),
        ] {
            let warnings = dir.validated(&text).warnings;
            let found = warnings.iter().any(|warning| warning.key == "knowledge.index");
            assert_eq!(found, warns, "{text}: {warnings:?}");
        }
    }
}
