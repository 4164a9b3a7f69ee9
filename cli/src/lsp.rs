//! The language server: `waypost lsp`, over standard input and output.
//!
//! One loop, no concurrency but a thread that reads: a message is handled whole, and a file is checked whole, which takes
//! less than a frame of a screen. Invariants: requests are answered from the newest text that came before them; a burst
//! of edits is checked once, when it pauses; a message that cannot be read, a request that is not known, a file that is
//! broken never end the server; only results go to the output.

mod actions;
mod ceiling;
mod completion;
mod context;
mod diagnostics;
mod disk;
mod expression;
mod formatting;
mod hints;
mod hover;
mod navigation;
mod outline;
mod position;
mod project;
mod rename;
mod server;
mod signature;
mod tokens;
mod transport;
mod typing;
mod uri;
mod view;
mod vocabulary;

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use lsp_server::{ErrorCode, Message, RequestId, Response};

pub use disk::Disk;
pub use project::Files;
pub use server::Server;
use transport::Incoming;

use crate::failure::Exit;

/// A burst of edits has paused when nothing comes for so long.
const PAUSE: Duration = Duration::from_millis(4);
/// Findings are shown at the latest so long after an edit, however fast the next ones come.
const LATEST: Duration = Duration::from_millis(100);

/// Serves until the client says `exit`, or goes.
///
/// # Errors
/// If the output cannot be written.
pub(crate) fn serve(
    server: Server,
    input: &mut (dyn Read + Send),
    output: &mut dyn Write,
) -> io::Result<Exit> {
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut input = BufReader::new(input);
            while let Ok(Some(incoming)) = transport::read(&mut input) {
                let last = matches!(&incoming, Incoming::Message(Message::Notification(one)) if one.method == "exit");
                if sender.send(incoming).is_err() || last {
                    return;
                }
            }
        });
        let mut serving = Serving {
            server,
            receiver: &receiver,
            output,
            waiting: VecDeque::new(),
            edited: None,
        };
        serving.run()
    })
}

/// The loop's state.
struct Serving<'a> {
    server: Server,
    receiver: &'a Receiver<Incoming>,
    output: &'a mut dyn Write,
    /// Read, not handled yet.
    waiting: VecDeque<Incoming>,
    /// Since when an edit waits to be checked.
    edited: Option<Instant>,
}

impl Serving<'_> {
    fn run(&mut self) -> io::Result<Exit> {
        loop {
            self.waiting.extend(self.receiver.try_iter());
            let incoming = match self.waiting.pop_front() {
                Some(incoming) => Some(incoming),
                None => match self.wait() {
                    Ok(incoming) => incoming,
                    // Without an `exit` the client is gone; a shutdown before makes that an orderly end.
                    Err(()) => return Ok(self.server.ended()),
                },
            };
            match incoming {
                Some(Incoming::Message(message)) => {
                    if let Some(exit) = self.handle(message)? {
                        return Ok(exit);
                    }
                }
                Some(Incoming::Malformed(code, reason)) => {
                    transport::refuse(self.output, code, &reason)?;
                }
                None => {}
            }
            self.publish_when_due()?;
        }
    }

    /// The next message; none if an edit has waited long enough, an error if no more will come.
    fn wait(&self) -> Result<Option<Incoming>, ()> {
        let Some(_) = self.edited else {
            return self.receiver.recv().map(Some).map_err(|_| ());
        };
        match self.receiver.recv_timeout(PAUSE) {
            Ok(incoming) => Ok(Some(incoming)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(None),
        }
    }

    fn handle(&mut self, message: Message) -> io::Result<Option<Exit>> {
        if let Message::Request(request) = &message
            && self.is_cancelled(&request.id)
        {
            let code = ErrorCode::RequestCanceled as i32;
            let response = Response::new_err(request.id.clone(), code, "cancelled".to_owned());
            return transport::write(self.output, &response.into()).map(|()| None);
        }
        for answer in self.answers(message) {
            transport::write(self.output, &answer)?;
        }
        if self.server.is_edited() {
            self.edited.get_or_insert_with(Instant::now);
        }
        Ok(self.server.exit())
    }

    /// What the server says to a message. Should it fail in the middle, which would be a mistake of ours, the request
    /// fails and the editor keeps its server.
    fn answers(&mut self, message: Message) -> Vec<Message> {
        let id = match &message {
            Message::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        let server = &mut self.server;
        let answers = panic::catch_unwind(AssertUnwindSafe(|| server.handle(message)));
        answers.unwrap_or_else(|_| {
            let code = ErrorCode::InternalError as i32;
            let said = "the server failed at this, please report it with the file".to_owned();
            let failed = id.map(|id| Response::new_err(id, code, said).into());
            failed.into_iter().collect()
        })
    }

    /// Whether a message that has already come takes the request back.
    fn is_cancelled(&mut self, id: &RequestId) -> bool {
        self.waiting.extend(self.receiver.try_iter());
        self.waiting.iter().any(|incoming| match incoming {
            Incoming::Message(Message::Notification(one)) if one.method == "$/cancelRequest" => {
                let named = one.params.get("id").cloned().map(serde_json::from_value);
                matches!(named, Some(Ok::<RequestId, _>(named)) if named == *id)
            }
            _ => false,
        })
    }

    /// Checks what was edited once the edits pause.
    fn publish_when_due(&mut self) -> io::Result<()> {
        let Some(since) = self.edited else {
            return Ok(());
        };
        self.waiting.extend(self.receiver.try_iter());
        let more = !self.waiting.is_empty();
        if !more && since.elapsed() < PAUSE {
            // Give the rest of a burst the time to come.
            if let Ok(incoming) = self.receiver.recv_timeout(PAUSE) {
                self.waiting.push_back(incoming);
                return Ok(());
            }
        } else if more && since.elapsed() < LATEST {
            return Ok(());
        }
        self.edited = None;
        let server = &mut self.server;
        let found = panic::catch_unwind(AssertUnwindSafe(|| server.publish()));
        for message in found.unwrap_or_default() {
            transport::write(self.output, &message)?;
        }
        Ok(())
    }
}
