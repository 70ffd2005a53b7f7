//! JSON log lines on standard output.

use std::{
    io::{self, Write},
    str::FromStr,
    time::SystemTime,
};

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            _ => Err("must be debug, info, warn or error"),
        }
    }
}

#[derive(Serialize)]
struct Line<'a, F> {
    ts: String,
    level: Level,
    msg: &'a str,
    #[serde(flatten)]
    fields: F,
}

#[derive(Clone, Copy)]
pub struct Log {
    threshold: Level,
}

impl Log {
    pub fn new(threshold: Level) -> Self {
        Self { threshold }
    }

    pub fn enabled(self, level: Level) -> bool {
        level >= self.threshold
    }

    /// Writes a line whatever the threshold is; `fields` is a struct or a JSON object.
    pub fn write(self, level: Level, msg: &str, fields: impl Serialize) {
        let ts = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        let line = Line { ts, level, msg, fields };
        let mut bytes = serde_json::to_vec(&line).expect("log fields are plain data");
        bytes.push(b'\n');
        // A reader that has gone away must not end the gateway.
        let _ = io::stdout().lock().write_all(&bytes);
    }
}
