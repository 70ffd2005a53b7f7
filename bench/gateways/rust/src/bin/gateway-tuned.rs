//! The same gateway with mimalloc in place of the system's allocator.

#![forbid(unsafe_code)]

#[global_allocator]
static ALLOCATOR: gateway::TimedFrees<mimalloc::MiMalloc> = gateway::TimedFrees(mimalloc::MiMalloc);

fn main() -> std::process::ExitCode {
    gateway::main(&["allocator=mimalloc"])
}
