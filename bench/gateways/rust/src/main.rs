#![forbid(unsafe_code)]

use std::alloc::System;

#[global_allocator]
static ALLOCATOR: gateway::TimedFrees<System> = gateway::TimedFrees(System);

fn main() -> std::process::ExitCode {
    gateway::main(&[])
}
