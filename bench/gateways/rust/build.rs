//! Keeps the compiler's version, which `/info` gives as the runtime's.

use std::{env, process::Command};

fn main() {
    let compiler = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let said = Command::new(compiler).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8(said.stdout).expect("rustc speaks UTF-8");
    println!("cargo::rustc-env=RUSTC_VERSION={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
}
