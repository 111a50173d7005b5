//! A program as it comes from a file, with what is needed to speak about its places.

use crate::Error;
use blinkgl::asm::{Assembled, assemble};
use blinkgl::ops::Callback;
use blinkgl::wire::{MAGIC, WireProgram, decode};
use budget::Budget;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use verifier::{VerifiedProgram, VerifyError, verify_within};

/// A program and where it came from.
pub(crate) struct Source {
    path: PathBuf,
    pub(crate) program: WireProgram,
    pub(crate) callback: Option<Callback>,
    text: Option<(String, Assembled)>,
}

impl Source {
    /// Reads text or words, whichever it is; `binary`: words in any case.
    pub(crate) fn read(path: &Path, binary: bool) -> Result<Source, Error> {
        let bytes = read(path)?;
        if binary || bytes.starts_with(&MAGIC.to_le_bytes()) {
            return Source::from_bytes(path, &bytes);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Source::from_text(path, text),
            Err(_) => Err(Error::Neither(path.to_path_buf())),
        }
    }

    /// Reads text.
    pub(crate) fn read_text(path: &Path) -> Result<Source, Error> {
        match String::from_utf8(read(path)?) {
            Ok(text) => Source::from_text(path, text),
            Err(_) => Err(Error::Neither(path.to_path_buf())),
        }
    }

    fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Source, Error> {
        let (words, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(Error::NotWords { path: path.to_path_buf(), bytes: bytes.len() });
        }
        let words: Vec<u32> = words.iter().map(|&word| u32::from_le_bytes(word)).collect();
        let program = WireProgram::from_words(words);
        Ok(Source { path: path.to_path_buf(), program, callback: None, text: None })
    }

    fn from_text(path: &Path, text: String) -> Result<Source, Error> {
        let assembled =
            assemble(&text).map_err(|errors| Error::Assembly { path: path.to_path_buf(), errors })?;
        Ok(Source {
            path: path.to_path_buf(),
            program: assembled.program.clone(),
            callback: assembled.callback,
            text: Some((text, assembled)),
        })
    }

    /// The wire format.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.program.untrusted_words().iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Verifies for `callback`, else for that of the text, else for `redraw`.
    pub(crate) fn verify(
        &self,
        callback: Option<Callback>,
        budget: Budget,
    ) -> Result<VerifiedProgram, Error> {
        let callback = callback.or(self.callback).unwrap_or(Callback::Redraw);
        verify_within(self.program.clone(), callback, budget.into())
            .map_err(|error| Error::Refused(self.refusal(&error)))
    }

    /// The error with its place: the line of the text, or the instruction of the words.
    fn refusal(&self, error: &VerifyError) -> String {
        let path = self.path.display();
        let offset = usize::try_from(error.offset).unwrap_or(usize::MAX);
        let in_text = self.text.as_ref().and_then(|(text, assembled)| {
            let line = assembled.line_of(offset)?;
            Some((line, text.lines().nth(line.checked_sub(1)?)?))
        });
        if let Some((line, content)) = in_text {
            return format!("{path}:{line}: error: {error}\n{line:5} | {content}");
        }
        match decode(self.program.untrusted_words(), offset) {
            Ok(Some(instruction)) if offset > 0 => {
                format!(
                    "{path}: error: {error}\nword {offset:#x} | {}",
                    blinkgl::dis::instruction(&instruction)
                )
            }
            Ok(_) | Err(_) => format!("{path}: error: {error}"),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let result = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    result.map_err(|error| Error::Read { path: path.to_path_buf(), error })
}
