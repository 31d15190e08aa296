//! The server's side of the protocol: [`Protocol`] as the devices' client has it, answered from [`AppState`].

use std::sync::Arc;

use gridwalk_replica::protocol::{
    EnrolRequest, Enrolled, HandIn, HandedIn, Missing, MissingRequest, Nonce, NonceRequest, Protocol,
    ProtocolError, Token, TokenRequest,
};
use gridwalk_replica::wire::{SyncRequest, SyncResponse};

use crate::access::AccessError;
use crate::access::enrolment::{Redeemed, redeem};
use crate::sealed::{SealedError, intake};
use crate::state::AppState;
use crate::storage::StorageError;
use crate::sync::{self, Context, Prepared, Principal, SyncError};

/// The protocol, answered.
#[derive(Clone)]
pub struct ServerProtocol(pub AppState);

impl Protocol for ServerProtocol {
    type Error = ProtocolError;

    async fn enrol(&self, request: EnrolRequest) -> Result<Enrolled, ProtocolError> {
        let (now, entropy) = (self.0.now(), Arc::clone(&self.0.entropy));
        let redeemed = self.0.write(move |tx| redeem(tx, &request, now, &*entropy)).await;
        match redeemed {
            Ok(Redeemed::Yes(enrolled)) => Ok(enrolled),
            Ok(Redeemed::Invalid | Redeemed::OtherKey) => Err(ProtocolError::CodeInvalid),
            Err(AccessError::BadKey) => {
                Err(ProtocolError::Malformed { reason: "public key is not a P-256 point".to_owned() })
            }
            Err(AccessError::Storage(error)) => Err(SyncError::from(error).into()),
            Err(_) => Err(ProtocolError::Internal),
        }
    }

    async fn nonce(&self, request: NonceRequest) -> Result<Nonce, ProtocolError> {
        let nonce = self.0.tokens.nonce(&request, self.0.now(), &*self.0.entropy);
        nonce.map_err(|_| ProtocolError::Internal)
    }

    async fn token(&self, request: TokenRequest) -> Result<Token, ProtocolError> {
        let state = self.0.clone();
        let now = self.0.now();
        let token = self.0.read(move |tx| state.tokens.token(tx, &request, now)).await;
        token.map_err(ProtocolError::from)
    }

    async fn sync(&self, token: &str, request: SyncRequest) -> Result<SyncResponse, ProtocolError> {
        let state = &self.0;
        let started = state.clock.ticks_us();
        let device = state.tokens.check(token, state.now())?;
        let answered = self.sync_as(device, request).await;
        if let Ok(response) = &answered {
            state.note_seen(device);
            state.metrics.sync(state.clock.ticks_us().saturating_sub(started), response.pulls.len());
        }
        answered.map_err(|error| {
            if let SyncError::Storage(failure) = &error
                && !matches!(failure, StorageError::Full | StorageError::Busy)
            {
                tracing::error!(error = %failure, "sync failed");
            }
            error.into()
        })
    }

    async fn missing(&self, token: &str, request: MissingRequest) -> Result<Missing, ProtocolError> {
        let device = self.0.tokens.check(token, self.0.now())?;
        let principal = self.0.read(move |tx| Principal::of(tx, device)).await?;
        let media = Arc::clone(&self.0.media);
        let answered = tokio::task::spawn_blocking(move || media.missing(&principal, &request)).await;
        let answered = answered.map_err(|_| ProtocolError::Internal)?;
        answered.map_err(|error| error.into_protocol().unwrap_or(ProtocolError::Internal))
    }

    async fn hand_in(&self, token: &str, request: HandIn) -> Result<HandedIn, ProtocolError> {
        let state = &self.0;
        let now = state.now();
        let device = state.tokens.check(token, now)?;
        state.note_seen(device);
        let checked = state
            .read(move |tx| {
                let principal = Principal::of(tx, device)?;
                let answer = intake::check(tx, &principal, &request)?;
                Ok::<_, SealedError>((principal, request, answer))
            })
            .await?;
        let (principal, request, answer) = checked;
        if let Some(answer) = answer {
            return Ok(answer);
        }
        Ok(state.write(move |tx| intake::keep(tx, &principal, &request, now)).await?)
    }
}

impl ServerProtocol {
    async fn sync_as(
        &self,
        device: gridwalk_model::DeviceId,
        request: SyncRequest,
    ) -> Result<SyncResponse, SyncError> {
        let state = &self.0;
        let now = state.now();
        let busy = || ProtocolError::Busy { retry_after_s: 2 };
        let bytes: usize = request.pushes.iter().flat_map(|push| &push.changes).map(|raw| raw.len()).sum();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let _room = state.waiting_kib.try_acquire_many(kib).map_err(|_| busy())?;
        let permit = state.admission.acquire().await.map_err(|_| busy())?;
        let prepared = state
            .read(move |tx| {
                let principal = Principal::of(tx, device)?;
                sync::prepare(tx, &principal, request, now)
            })
            .await?;
        drop(permit);
        let mut pending = match prepared {
            Prepared::Answered(response) => return Ok(*response),
            Prepared::Pending(pending) => pending,
        };
        let kib = u32::try_from(pending.bytes() / 1024 + 1).unwrap_or(u32::MAX);
        let _documents = state.waiting_kib.try_acquire_many(kib).map_err(|_| busy())?;
        let entropy = Arc::clone(&state.entropy);
        let (pending, committed) = state
            .write(move |tx| {
                let context = Context { now, entropy: &*entropy };
                let committed = sync::commit(tx, &mut pending, context)?;
                Ok::<_, SyncError>((pending, committed))
            })
            .await?;
        committed.verdicts().for_each(|verdict| state.metrics.verdict(verdict));
        state.read(move |tx| sync::answer(tx, &pending, Some(&committed), now)).await
    }
}
