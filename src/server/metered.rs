//! A connection as a stream: how much of a request has been read that is not whole yet, and how long its client does nothing.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::crowd::Handle;
use crate::clock::Stopwatch;

/// A stream that tells how much was read from it, and fails when its client neither sends nor takes what is waited for.
pub struct Metered<S> {
    stream: S,
    handle: Handle,
    patience: Duration,
    /// Since when something is waited for to be read, and to be taken.
    reading: Option<Stopwatch>,
    writing: Option<Stopwatch>,
    /// Looks after both. It is set anew only when it has run out: each setting may cost a system call.
    alarm: Pin<Box<Sleep>>,
}

impl<S> Metered<S> {
    pub fn new(stream: S, handle: Handle, patience: Duration) -> Self {
        let alarm = Box::pin(sleep(patience));
        Self { stream, handle, patience, reading: None, writing: None, alarm }
    }

    /// Fails when something has been waited for too long; else the task is woken when it will have been.
    fn poll_patience<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        while self.alarm.as_mut().poll(context).is_ready() {
            let waited = [self.reading, self.writing].iter().flatten().map(Stopwatch::elapsed).max();
            let left = self.patience.saturating_sub(waited.unwrap_or_default());
            if left.is_zero() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let next = self.alarm.deadline() + left;
            self.alarm.as_mut().reset(next);
        }
        Poll::Pending
    }

    fn poll_written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            self.writing.get_or_insert_with(Stopwatch::start);
            return self.poll_patience(context);
        }
        // A client that takes something is alive, though it need not say anything.
        (self.reading, self.writing) = (None, None);
        self.handle.taken();
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            self.reading.get_or_insert_with(Stopwatch::start);
            return self.poll_patience(context);
        }
        self.reading = None;
        self.handle.read(buffer.filled().len() - before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.poll_written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.poll_written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::super::crowd::Crowd;
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Our end of a connection with room for 64 bytes, and the client's.
    async fn connection() -> (Metered<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64);
        let place = Crowd::new(1).enter().await;
        (Metered::new(ours, place.handle(), PATIENCE), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_be_slow_but_not_silent() {
        let (mut ours, mut theirs) = connection().await;
        let client = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(PATIENCE * 9 / 10).await;
                theirs.write_all(b"a").await.unwrap();
            }
            theirs
        });
        let mut read = [0; 5];
        ours.read_exact(&mut read).await.unwrap();
        let _theirs = client.await.unwrap();
        let begin = Stopwatch::start();
        assert_eq!(ours.read(&mut read).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_to_take_what_it_is_sent() {
        let (mut ours, mut theirs) = connection().await;
        let client = tokio::spawn(async move {
            for _ in 0..5 {
                sleep(PATIENCE * 9 / 10).await;
                theirs.read_exact(&mut [0; 64]).await.unwrap();
            }
            theirs
        });
        ours.write_all(&[0; 5 * 64]).await.unwrap();
        let _theirs = client.await.unwrap();
        ours.write_all(&[0; 64]).await.unwrap();
        let begin = Stopwatch::start();
        assert_eq!(ours.write_all(&[0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), PATIENCE.as_secs());
    }
}
