//! Runs programs without a server and shows what they do.

use crate::program::Source;
use crate::{Error, print};
use blinkgl::External;
use blinkgl::limits::REGISTERS;
use blinkgl::ops::{Callback, EXTERNAL, Kind};
use budget::Budget;
use clap::{Args, ValueEnum};
use jit::trace::{Current, TraceGl, TracedPrimitive};
use jit::{Assembly, Environment, Lists, Outcome, Program, Run, Tier, TierChoice};
use std::fmt::{Display, Write as _};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Options {
    /// Programs, text or wire format, run one after the other as the procedures of one window: they share registers
    /// and display lists.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Callback to run as: init, update, reshape, redraw or input. Default: each text's .callback, else redraw.
    #[arg(long, value_parser = crate::callback)]
    callback: Option<Callback>,
    /// What executes the programs; `both` fails if interpreter and native code differ in anything.
    #[arg(long, value_enum, default_value_t = Tiers::Interpreter)]
    tier: Tiers,
    /// Predicted presentation time, in seconds of the server's clock.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = nanoseconds)]
    time: u64,
    /// A register's value before the first program: a float, or bits as 0x3f800000. Others are 0.
    #[arg(long, value_name = "rN=VALUE", value_parser = register)]
    reg: Vec<(usize, u32)>,
    /// A piece of external state, such as width=640. Default: a window of 300x300 with the focus on a
    /// 60 Hz output, nothing pressed.
    #[arg(long, value_name = "NAME=VALUE", value_parser = external)]
    set: Vec<(External, f32)>,
    /// Print each GL command and each primitive, not just how many there are.
    #[arg(long)]
    trace: bool,
    /// Take the files as words even if they do not begin like programs.
    #[arg(long)]
    binary: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tiers {
    /// The interpreter.
    Interpreter,
    /// Native code.
    Native,
    /// One after the other; all that they do is compared.
    Both,
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    let duration = std::time::Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    u64::try_from(duration.as_nanos()).map_err(|_| "more than 584 years".to_string())
}

fn register(text: &str) -> Result<(usize, u32), String> {
    let (name, value) = text.split_once('=').ok_or("write rN=VALUE")?;
    let number: usize = name
        .strip_prefix('r')
        .and_then(|digits| digits.parse().ok())
        .filter(|&n| n < REGISTERS)
        .ok_or("registers are r0 to r31")?;
    let bits = match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok().map(f32::to_bits),
    };
    Ok((number, bits.ok_or("the value is a float, or bits as 0x3f800000")?))
}

fn external(text: &str) -> Result<(External, f32), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let Some(what) = EXTERNAL.value_of(name).and_then(External::from_code) else {
        let names: Vec<&str> = EXTERNAL.values.iter().map(|&(name, _)| name).collect();
        return Err(format!("external state is one of {}", names.join(", ")));
    };
    Ok((what, value.parse().map_err(|_| "the value is a float")?))
}

/// What programs leave behind for those after them.
#[derive(Clone, Default)]
struct State {
    registers: [u32; REGISTERS],
    lists: Lists,
}

/// One execution.
struct Execution {
    state: State,
    gl: TraceGl,
    outcome: Outcome,
}

fn execute(program: &Program, environment: &Environment, choice: TierChoice, mut state: State) -> Execution {
    let mut gl = TraceGl::default();
    let outcome = program.run(
        choice,
        &mut Run { registers: &mut state.registers, environment, lists: &mut state.lists, gl: &mut gl },
    );
    Execution { state, gl, outcome }
}

/// Runs the programs and prints what they do.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let mut environment = Environment::at(options.time);
    for (what, value) in [
        (External::Refresh, 1.0 / 60.0),
        (External::Width, 300.0),
        (External::Height, 300.0),
        (External::Scale, 1.0),
        (External::Focus, 1.0),
    ] {
        environment.set(what, value);
    }
    for &(what, value) in &options.set {
        environment.set(what, value);
    }
    let mut state = State::default();
    for &(number, bits) in &options.reg {
        if let Some(register) = state.registers.get_mut(number) {
            *register = bits;
        }
    }

    for file in &options.files {
        let source = Source::read(file, options.binary)?;
        let program = Program::new(source.verify(options.callback, Budget::default())?);
        let choice = match options.tier {
            Tiers::Interpreter | Tiers::Both => TierChoice::Interpreter,
            Tiers::Native => TierChoice::Native,
        };
        let refused = |what: String| Err(Error::Refused(format!("{}: error: {what}", file.display())));
        if options.tier != Tiers::Interpreter
            && let Err(error) = program.compile()
        {
            return refused(format!("there is no native code of this program: {error}"));
        }
        let before = state.registers;
        let execution = execute(&program, &environment, choice, state.clone());
        if options.tier == Tiers::Native && execution.outcome.tier != Tier::Native {
            return refused("there is no native code of this program, the interpreter ran it".to_string());
        }
        if options.tier == Tiers::Both {
            let native = execute(&program, &environment, TierChoice::Native, state.clone());
            if native.outcome.tier != Tier::Native {
                return refused(
                    "there is no native code of this program, so nothing was compared".to_string(),
                );
            }
            if let Some(difference) = difference(&execution, &native) {
                return refused(format!("interpreter and native code differ: {difference}"));
            }
        }
        let title = format!("{}, {}", file.display(), program.callback());
        print(&report(&title, options, &before, &execution))?;
        if let Some(stop) = &execution.outcome.stop {
            return refused(stop.to_string());
        }
        state = execution.state;
    }
    Ok(())
}

/// The first thing in which two executions differ; which tier made them is none.
fn difference(a: &Execution, b: &Execution) -> Option<String> {
    fn first<T: PartialEq>(what: &str, a: &[T], b: &[T], show: impl Fn(&T) -> String) -> Option<String> {
        let i = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i))?;
        let show = |x: Option<&T>| x.map_or_else(|| "nothing".to_string(), &show);
        Some(format!("{what} {i} is {} and {}", show(a.get(i)), show(b.get(i))))
    }
    first("register", &a.state.registers, &b.state.registers, |&bits| value(bits))
        .or_else(|| first("GL command", &a.gl.commands, &b.gl.commands, command))
        .or_else(|| {
            first("primitive", &a.gl.primitives, &b.gl.primitives, |p| primitive(p).replace('\n', ";"))
        })
        .or_else(|| (a.gl != b.gl).then(|| format!("{:?} and {:?}", a.gl.current, b.gl.current)))
        .or_else(|| {
            let same_tier = Outcome { tier: a.outcome.tier, ..b.outcome.clone() };
            (a.outcome != same_tier).then(|| format!("{:?} and {same_tier:?}", a.outcome))
        })
}

fn report(title: &str, options: &Options, before: &[u32; REGISTERS], execution: &Execution) -> String {
    let Execution { state, gl, outcome } = execution;
    let tier = match (options.tier, outcome.tier) {
        (Tiers::Both, _) => "both tiers, no difference",
        (_, Tier::Interpreter) => "interpreter",
        (_, Tier::Native) => "native code",
    };
    let mut text = format!("{title} ({tier})\n");
    let mut line = |name: &str, value: &dyn Display| {
        let _ = writeln!(text, "  {name:<14}{value}");
    };
    if options.trace {
        let mut done = 0;
        for drawn in &gl.primitives {
            let until = drawn.vertices.first().map_or(done, |v| v.commands).max(done);
            for given in gl.commands.get(done..until).unwrap_or_default() {
                line("command", &command(given));
            }
            done = until;
            line("primitive", &primitive(drawn));
        }
        for given in gl.commands.get(done..).unwrap_or_default() {
            line("command", &command(given));
        }
    }
    line("drawn", &format!("{} commands, {} primitives", gl.commands.len(), gl.primitives.len()));
    line("charged", &format!("{} units of fuel, {} vertices", outcome.fuel_used, outcome.vertices));
    if gl.current != Current::default() {
        line("attributes", &attributes(&gl.current));
    }
    for (number, (old, new)) in before.iter().zip(&state.registers).enumerate() {
        if old != new {
            line("register", &format!("r{number} = {} (was {})", value(*new), value(*old)));
        }
    }
    if !state.lists.is_empty() {
        line("lists", &format!("{} defined", state.lists.len()));
    }
    let effects = &outcome.effects;
    if effects.request_frame {
        line("effect", &"asks for the next frame");
    }
    if let Some(rect) = effects.damage {
        line("effect", &format!("damages {} x {} pixels at {}, {}", rect.width, rect.height, rect.x, rect.y));
    }
    for notification in &effects.notifications {
        line("effect", &format!("notifies {}", value(*notification)));
    }
    if effects.notifications_dropped > 0 {
        line("effect", &format!("{} notifications dropped", effects.notifications_dropped));
    }
    text
}

/// Bits as what they most likely are, and exactly.
fn value(bits: u32) -> String {
    format!("{} ({bits:#010x})", blinkgl::dis::constant(Kind::Float, bits))
}

/// A command as text of the assembler.
fn command(command: &jit::Command) -> String {
    let row = command.op.op().info();
    let args: Vec<String> = row
        .operands
        .iter()
        .zip(&command.args)
        .map(|(operand, &bits)| blinkgl::dis::constant(operand.kind, bits))
        .collect();
    format!("{} {}", row.name, args.join(", ")).trim_end().to_string()
}

fn primitive(primitive: &TracedPrimitive) -> String {
    let mut text = match primitive.assembly {
        Assembly::Points => "point",
        Assembly::Lines => "line",
        Assembly::Triangles => "triangle",
    }
    .to_string();
    for vertex in &primitive.vertices {
        let _ = write!(text, "\n    {:<14}{}", "", floats(&vertex.position));
        let attributes = attributes(&vertex.attributes);
        if !attributes.is_empty() {
            let _ = write!(text, "   {attributes}");
        }
    }
    text
}

/// The attributes that are not those at the start.
fn attributes(current: &Current) -> String {
    let start = Current::default();
    let mut parts = Vec::new();
    if current.color != start.color {
        parts.push(format!("color {}", floats(&current.color)));
    }
    if current.tex_coord != start.tex_coord {
        parts.push(format!("tex_coord {}", floats(&current.tex_coord)));
    }
    if current.normal != start.normal {
        parts.push(format!("normal {}", floats(&current.normal)));
    }
    parts.join("   ")
}

fn floats(bits: &[u32]) -> String {
    bits.iter().map(|&b| blinkgl::dis::constant(Kind::Float, b)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        assert_eq!(register("r31=1.5"), Ok((31, 0x3fc0_0000)));
        assert_eq!(register("r0=0x7fc00001"), Ok((0, 0x7fc0_0001)));
        assert!(register("r32=1").is_err());
        assert!(register("r1").is_err());
        assert_eq!(external("pointer_x=12"), Ok((External::PointerX, 12.0)));
        assert!(external("pointer=12").unwrap_err().contains("pointer_x, pointer_y"));
        assert_eq!(nanoseconds("1.5"), Ok(1_500_000_000));
        assert!(nanoseconds("-1").is_err());
        assert!(nanoseconds("1e30").is_err());
    }

    /// `--tier both` is only worth something if it sees differences.
    #[test]
    fn differences_are_seen() {
        let program = |text: &str| {
            let assembled = blinkgl::asm::assemble(text).unwrap();
            Program::new(verifier::verify(assembled.program, Callback::Redraw).unwrap())
        };
        let run = |text: &str| {
            execute(&program(text), &Environment::at(0), TierChoice::Interpreter, State::default())
        };
        let base = "mov r1, 1.0\nload_identity\nbegin points\nvertex2 r1, 0\nend\nrequest_frame\n";
        assert_eq!(difference(&run(base), &run(base)), None);
        for (change, to, expected) in [
            ("mov r1, 1.0", "mov r1, -1.0", "register 1 is 1.0 (0x3f800000) and -1.0 (0xbf800000)"),
            ("load_identity", "push_matrix\npop_matrix", "GL command 0 is load_identity and push_matrix"),
            ("vertex2 r1, 0", "vertex2 r1, 2", "primitive 0 is point;"),
            ("vertex2 r1, 0", "color4 1, 0, 0, 1\nvertex2 r1, 0", "primitive 0 is point;"),
            ("end\n", "end\ncolor4 1, 0, 0, 1\n", "Current"),
            ("request_frame\n", "", "Outcome"),
        ] {
            let found = difference(&run(base), &run(&base.replace(change, to))).unwrap();
            assert!(found.contains(expected), "{found} is not about {expected}");
        }
    }
}
