//! The bytes of one request on their way to the disk.
//!
//! Memory is bounded by [`BUFFER_BYTES`] and one frame of the connection. Bytes without a checksum go to the part
//! as they come, so that a request that breaks keeps what arrived; bytes with one wait until it has proved right.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;

use super::Media;
use super::error::{MediaError, Refusal};
use super::turns::Turn;
use super::tus::{Checksum, Chunk, ChunkHasher};
use super::upload_id::UploadId;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(20);
/// How long one request may take; its upload can go on with the next.
const WHOLE: Duration = Duration::from_secs(600);

/// How a body ended.
enum Ended {
    Whole,
    Early(Refusal),
}

/// The files of one request. Lives on the blocking pool while it is used.
struct Sink {
    media: Arc<Media>,
    id: UploadId,
    part: File,
    /// The part's length before this request.
    durable: u64,
    checksum: Option<(Checksum, ChunkHasher)>,
    waiting: Option<File>,
}

/// Takes the body of a request into an upload that stands at `chunk.offset`. Returns where it stands then; every
/// byte of that is durable.
///
/// # Errors
/// [`Refusal::Checksum`]: nothing was kept. [`Refusal::TooLarge`], [`Refusal::BodyEnded`], [`Refusal::Overtaken`]: what
/// came was kept unless it had a checksum. Failures of the disk.
pub(super) async fn receive(
    media: &Arc<Media>,
    turn: &mut Turn,
    id: UploadId,
    chunk: Chunk,
    room: u64,
    body: BodyDataStream,
) -> Result<u64, MediaError> {
    let opening = Arc::clone(media);
    let sink = blocking(move || Sink::open(opening, id, chunk)).await?;
    let (sink, ended) = sink.fill(turn, room, body).await?;
    blocking(move || sink.close(ended)).await
}

impl Sink {
    fn open(media: Arc<Media>, id: UploadId, chunk: Chunk) -> Result<Self, MediaError> {
        let part = media.files.open_part(&id)?;
        let checksum = chunk.checksum.map(|checksum| {
            let hasher = checksum.algorithm.hasher();
            (checksum, hasher)
        });
        Ok(Self { media, id, part, durable: chunk.offset, checksum, waiting: None })
    }

    /// Reads the body to its end, at most `room` bytes.
    async fn fill(
        mut self,
        turn: &mut Turn,
        mut room: u64,
        mut body: BodyDataStream,
    ) -> Result<(Self, Ended), MediaError> {
        let mut buffer = Vec::new();
        let over = tokio::time::sleep(WHOLE);
        tokio::pin!(over);
        let ended = loop {
            let next = tokio::select! {
                biased;
                () = turn.overtaken() => break Ended::Early(Refusal::Overtaken),
                () = &mut over => break Ended::Early(Refusal::BodyEnded),
                next = tokio::time::timeout(STALL, body.next()) => next,
            };
            let frame = match next {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => break Ended::Whole,
                Ok(Some(Err(_))) | Err(_) => break Ended::Early(Refusal::BodyEnded),
            };
            let len = u64::try_from(frame.len()).unwrap_or(u64::MAX);
            if len > room {
                break Ended::Early(Refusal::TooLarge);
            }
            room -= len;
            buffer.extend_from_slice(&frame);
            if buffer.len() >= BUFFER_BYTES {
                self = self.write_elsewhere(std::mem::take(&mut buffer), false).await?;
            }
        };
        self = self.write_elsewhere(buffer, matches!(ended, Ended::Whole)).await?;
        Ok((self, ended))
    }

    async fn write_elsewhere(mut self, bytes: Vec<u8>, last: bool) -> Result<Self, MediaError> {
        blocking(move || {
            if let Err(error) = self.write(&bytes, last) {
                // What came before the disk failed is kept; whether it can be kept does not change the error.
                if self.checksum.is_none() {
                    let _ = self.media.files.settle(&self.part, self.durable);
                }
                let _ = self.media.files.remove_chunk(&self.id);
                return Err(error.into());
            }
            Ok(self)
        })
        .await
    }

    fn write(&mut self, bytes: &[u8], last: bool) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let files = &self.media.files;
        let Some((checksum, hasher)) = &mut self.checksum else { return files.append(&mut self.part, bytes) };
        hasher.update(bytes);
        // A short chunk is in memory as a whole: it need not wait in a file.
        if last && self.waiting.is_none() && hasher.clone().finish() == checksum.digest {
            return files.append(&mut self.part, bytes);
        }
        let mut file = match self.waiting.take() {
            Some(file) => file,
            None => files.create_chunk(&self.id)?,
        };
        files.append(&mut file, bytes)?;
        self.waiting = Some(file);
        Ok(())
    }

    fn close(mut self, ended: Ended) -> Result<u64, MediaError> {
        let files = &self.media.files;
        if let Some((checksum, hasher)) = self.checksum.take() {
            let right = hasher.finish() == checksum.digest;
            let adopted = match (self.waiting.take(), &ended) {
                (Some(_), Ended::Whole) if right => files.adopt_chunk(&self.id, &mut self.part),
                _ => Ok(()),
            };
            files.remove_chunk(&self.id)?;
            if let Err(error) = adopted {
                files.settle(&self.part, self.durable)?;
                return Err(error.into());
            }
            match ended {
                Ended::Early(refusal) => return Err(refusal.into()),
                Ended::Whole if !right => return Err(Refusal::Checksum.into()),
                Ended::Whole => {}
            }
            return Ok(files.settle(&self.part, self.durable)?);
        }
        let offset = files.settle(&self.part, self.durable)?;
        match ended {
            Ended::Whole => Ok(offset),
            Ended::Early(refusal) => Err(refusal.into()),
        }
    }
}

/// Runs blocking work on the blocking pool. A panic in it is an error here.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::other("work panicked").into()),
    }
}
