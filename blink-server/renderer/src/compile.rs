//! Native code for the programs that run often: made behind the frames by a [`jit::CompileQueue`].

use super::renderer::Renderer;
use ipc::ClientId;
use std::time::Instant;

impl Renderer {
    /// Gives up what takes too long, and tells clients which of their programs stay with the interpreter.
    pub(super) fn tend_compiler(&mut self, now: u64) {
        self.programs.compile.tend(Instant::now());
        for report in self.programs.compile.take_reports() {
            if let Some(client) = self.clients.get_mut(&ClientId(report.client)) {
                client.stats.not_compiled += 1;
                let (callback, instructions) = (report.callback, report.instructions);
                let error = report.error;
                let text = format!("a {callback} procedure of {instructions} instructions: {error}");
                client.note(now, text);
            }
        }
    }
}
