//! The `tse` command, with the strategies that come with the engine.

fn main() -> std::process::ExitCode {
    tse_cli::main(tse_strategy::Registry::shipped())
}
