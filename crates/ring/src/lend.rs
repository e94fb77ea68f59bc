use crate::doorbell::Doorbell;
use crate::sync::{Arc, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::{Reader, Writer};
use std::fmt;
use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll};

/// Keeps an end of a ring and lends it to one holder at a time.
///
/// A call owns the ends of its rings and lends them to its stages. An end moves: it is either at home or in
/// the one [`Lent`], so that two users of one end cannot exist, whatever dies or hangs. Dropping the `Lent`
/// brings the end home, while unwinding too. [`revoke`](Self::revoke) raises the generation: a holder of an
/// older one is fenced from its next access on, and the end can be lent again once it has come home.
///
/// ```compile_fail,E0599
/// # use ringway_ring::{Owner, ring};
/// # use ringway_frame::Format;
/// let (writer, _reader) = ring(Format::Mulaw8k, 4);
/// let mut owner = Owner::new(writer);
/// let lent = owner.lend().unwrap();
/// let second_writer = lent.clone();
/// ```
///
/// ```compile_fail,E0382
/// # use ringway_ring::{Owner, ring};
/// # use ringway_frame::{Format, Frame};
/// let (mut writer, _reader) = ring(Format::Mulaw8k, 4);
/// let owner = Owner::new(writer);
/// writer.push(&Frame::silence(Format::Mulaw8k)); // it is the owner's now
/// ```
///
/// Dropping the owner revokes.
pub struct Owner<E> {
    loan: Arc<Loan<E>>,
}

/// An end of a ring on loan from its [`Owner`]; dropping it gives the end back.
pub struct Lent<E> {
    /// Empty only inside `drop`.
    end: Option<E>,
    generation: u64,
    loan: Arc<Loan<E>>,
}

/// What can be lent.
pub trait Lend {
    /// The end leaves home for a new holder.
    fn lent_anew(&mut self) {}
}

impl Lend for Writer {}
impl Lend for Reader {}

/// The end has not come home yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the end is on loan")]
pub struct OnLoan;

/// The end was revoked: its holder may only drop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the end was revoked")]
pub struct Fenced;

struct Loan<E> {
    /// Locked to lend and to return, never for a frame.
    home: Mutex<Option<E>>,
    generation: AtomicU64,
    /// The owner waits here for the end.
    returned: Doorbell,
    /// The holder waits here for a revocation.
    revoked: Doorbell,
}

impl<E> Owner<E> {
    /// Takes `end` in.
    pub fn new(end: E) -> Self {
        Self {
            loan: Arc::new(Loan {
                home: Mutex::new(Some(end)),
                generation: AtomicU64::new(0),
                returned: Doorbell::default(),
                revoked: Doorbell::default(),
            }),
        }
    }

    /// Lends the end to a new holder.
    ///
    /// # Errors
    /// It has not come home yet.
    pub fn lend(&mut self) -> Result<Lent<E>, OnLoan>
    where
        E: Lend,
    {
        let mut end = self.loan.take().ok_or(OnLoan)?;
        end.lent_anew();
        Ok(Lent {
            end: Some(end),
            generation: self.loan.generation.load(Ordering::Relaxed),
            loan: self.loan.clone(),
        })
    }

    /// Fences the holder, if there is one: an access that has begun may end, the next one is refused.
    pub fn revoke(&mut self) {
        // AcqRel: a holder that finds itself fenced sees why.
        self.loan.generation.fetch_add(1, Ordering::AcqRel);
        self.loan.revoked.ring_for_all();
    }

    /// Whether the end is away.
    pub fn is_on_loan(&self) -> bool {
        !self.loan.is_home()
    }

    /// Ready once the end is at home; until then the task of `cx` waits for its holder.
    pub fn poll_returned(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.loan.returned.poll(cx, 1, || self.loan.is_home().then_some(()))
    }

    /// Waits until the end is at home. Dropping the future loses nothing.
    pub async fn returned(&mut self) {
        poll_fn(|cx| self.poll_returned(cx)).await;
    }
}

impl<E> Drop for Owner<E> {
    fn drop(&mut self) {
        self.revoke();
    }
}

impl<E> Lent<E> {
    /// The end, for one access.
    ///
    /// # Errors
    /// It was revoked.
    pub fn get_mut(&mut self) -> Result<&mut E, Fenced> {
        if self.is_fenced() {
            return Err(Fenced);
        }
        self.end.as_mut().ok_or(Fenced)
    }

    /// The end, for a look.
    ///
    /// # Errors
    /// It was revoked.
    pub fn get(&self) -> Result<&E, Fenced> {
        if self.is_fenced() {
            return Err(Fenced);
        }
        self.end.as_ref().ok_or(Fenced)
    }

    /// Polls the end through `poll`, and waits for a revocation too: a stage that waits for frames learns that
    /// it is fenced.
    ///
    /// ```
    /// # use ringway_ring::{Lent, Reader, Fenced, Closed};
    /// async fn ready(mic: &mut Lent<Reader>) -> Result<Result<(), Closed>, Fenced> {
    ///     std::future::poll_fn(|cx| mic.poll_with(cx, Reader::poll_ready)).await
    /// }
    /// ```
    pub fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut E, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Fenced>> {
        let fenced = || self.is_fenced().then_some(Fenced);
        if let Poll::Ready(fenced) = self.loan.revoked.poll(cx, 1, fenced) {
            return Poll::Ready(Err(fenced));
        }
        match &mut self.end {
            Some(end) => poll(end, cx).map(Ok),
            None => Poll::Ready(Err(Fenced)),
        }
    }

    /// Whether it was revoked.
    pub fn is_fenced(&self) -> bool {
        self.loan.generation.load(Ordering::Acquire) != self.generation
    }
}

impl<E> Drop for Lent<E> {
    fn drop(&mut self) {
        *self.loan.lock() = self.end.take();
        self.loan.returned.ring_for_all();
    }
}

impl<E> Loan<E> {
    fn take(&self) -> Option<E> {
        self.lock().take()
    }

    fn is_home(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<E>> {
        // A move in or out cannot stop half-way, so a poisoned lock tells nothing.
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> fmt::Debug for Owner<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("on_loan", &self.is_on_loan()).finish_non_exhaustive()
    }
}

impl<E: fmt::Debug> fmt::Debug for Lent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("end", &self.end)
            .field("generation", &self.generation)
            .field("fenced", &self.is_fenced())
            .finish_non_exhaustive()
    }
}
