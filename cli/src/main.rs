//! The `blinkgl` command: assembles, disassembles, verifies and runs stored procedures, and prints the
//! reference of the op table.
//!
//! Exit status: 0, 1 for a program that is refused or whose tiers differ, 2 for wrong usage or a file that
//! cannot be read or written.

mod facts;
mod program;
mod reference;
mod run;

use blinkgl::asm::AsmErrors;
use blinkgl::ops::Callback;
use budget::Budget;
use clap::{Parser, Subcommand};
use program::Source;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Assemble, disassemble, verify and run BlinkGL stored procedures.
///
/// A program is text (.bgl) or the words of the wire format, little-endian (.bglo); which of both a file is
/// shows in its first bytes. `-` stands for standard input or output.
#[derive(Parser)]
#[command(name = "blinkgl")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Assemble text to the wire format.
    Asm {
        /// The text.
        file: PathBuf,
        /// Where the program goes; without it to FILE with the extension .bglo.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Print the text of a program, broken ones included; text is brought to its canonical form.
    Dis {
        /// Text or wire format.
        file: PathBuf,
        /// Take the file as words even if it does not begin like a program.
        #[arg(long)]
        binary: bool,
    },
    /// Verify a program and print what the server knows about it, or the rule that it breaks.
    ///
    /// A server may allow less than the protocol's limits: refusals by rule V35 are found with the same --max options as
    /// it was started with.
    Verify {
        /// Text or wire format.
        file: PathBuf,
        /// Callback to verify for: init, update, reshape, redraw or input. Default: the text's .callback, else redraw.
        #[arg(long, value_parser = callback)]
        callback: Option<Callback>,
        /// Take the file as words even if it does not begin like a program.
        #[arg(long)]
        binary: bool,
        #[command(flatten)]
        budget: Budget,
    },
    /// Run programs without a server and print what they draw, change and ask for.
    Run(run::Options),
    /// Print the reference of all ops with their operands, constants and places.
    Ops {
        /// As the page docs/OPS.md.
        #[arg(long)]
        markdown: bool,
        /// Only the ops whose name contains this.
        #[arg(conflicts_with = "markdown")]
        name: Option<String>,
    },
}

fn callback(name: &str) -> Result<Callback, String> {
    Callback::ALL
        .into_iter()
        .find(|c| c.name() == name)
        .ok_or_else(|| "callbacks are init, update, reshape, redraw and input".to_string())
}

/// Why the command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    #[error("{} is neither text (UTF-8) nor a program in wire format (which begins with \"BGL1\"); if it is words, verify, dis and run take it by --binary", .0.display())]
    Neither(PathBuf),
    #[error("{} has {bytes} bytes, which are no whole number of 32-bit words", path.display())]
    NotWords { path: PathBuf, bytes: usize },
    #[error("{}", assembly_errors(path, errors))]
    Assembly { path: PathBuf, errors: AsmErrors },
    #[error("{0}")]
    Refused(String),
    #[error("there is no op whose name contains `{0}`")]
    NoSuchOp(String),
}

impl Error {
    fn exit_code(&self) -> u8 {
        match self {
            Error::Assembly { .. } | Error::Refused(_) => 1,
            Error::Read { .. }
            | Error::Write { .. }
            | Error::Neither(_)
            | Error::NotWords { .. }
            | Error::NoSuchOp(_) => 2,
        }
    }
}

/// One line `file:line:column: error: ...` for each, as compilers write them.
fn assembly_errors(path: &Path, errors: &AsmErrors) -> String {
    let lines: Vec<String> = errors
        .0
        .iter()
        .map(|e| format!("{}:{}:{}: error: {}", path.display(), e.line, e.column, e.kind))
        .collect();
    lines.join("\n")
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Asm { file, output } => {
            let source = Source::read_text(&file)?;
            let output = output.unwrap_or_else(|| match file.to_str() {
                Some("-") => file.clone(),
                _ => file.with_extension("bglo"),
            });
            write(&output, &source.bytes())
        }
        Command::Dis { file, binary } => {
            let source = Source::read(&file, binary)?;
            print(&blinkgl::dis::disassemble(source.program.untrusted_words(), source.callback))
        }
        Command::Verify { file, callback, binary, budget } => {
            let source = Source::read(&file, binary)?;
            let verified = source.verify(callback, budget)?;
            print(&facts::describe(&verified))
        }
        Command::Run(options) => run::run(&options),
        Command::Ops { markdown: true, .. } => print(&reference::markdown()),
        Command::Ops { name, .. } => {
            let name = name.unwrap_or_default();
            let mut text = String::new();
            for row in blinkgl::ops::OPS.iter().filter(|row| row.name.contains(&name)) {
                let _ = writeln!(text, "{}", reference::plain(row));
            }
            if text.is_empty() { Err(Error::NoSuchOp(name)) } else { print(&text) }
        }
    }
}

/// To standard output. A reader that has gone (`| head`) is no error.
fn print(text: &str) -> Result<(), Error> {
    write(Path::new("-"), text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let result = if path == Path::new("-") {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    } else {
        std::fs::write(path, bytes)
    };
    result.map_err(|error| Error::Write { path: path.to_path_buf(), error })
}
