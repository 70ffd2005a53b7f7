//! Bearer tokens: JWT signed with HS256 or RS256, and the cache of those whose signature held.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use lru::LruCache;
use ring::{
    hmac,
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use serde_json::{Map, Value};

use crate::{
    config::Config,
    refusal::Refusal,
    routes::{Access, Auth},
};

const CACHED_TOKENS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What a token says that has a good signature.
#[derive(Debug)]
pub struct Token {
    pub subject: Option<String>,
    /// Names separated by spaces.
    scope: String,
    /// Seconds since the epoch.
    expires: f64,
    not_before: Option<f64>,
}

impl Token {
    fn from_claims(mut claims: Map<String, Value>) -> Option<Self> {
        let expires = claims.remove("exp")?.as_f64()?;
        let not_before = match claims.remove("nbf") {
            None => None,
            Some(time) => Some(time.as_f64()?),
        };
        let mut text = |name| match claims.remove(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => None,
        };
        let subject = text("sub")?;
        let scope = text("scope")?.unwrap_or_default();
        Some(Self { subject, scope, expires, not_before })
    }

    fn check_times(&self, now: Duration) -> Result<(), Refusal> {
        let now = now.as_secs_f64();
        if self.not_before.is_some_and(|time| time > now) {
            Err(Refusal::InvalidToken)
        } else if self.expires <= now {
            Err(Refusal::ExpiredToken)
        } else {
            Ok(())
        }
    }

    fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == name)
    }
}

pub struct Verifier {
    hs256: Option<hmac::Key>,
    rs256: Option<UnparsedPublicKey<Vec<u8>>>,
    cache: Option<Mutex<LruCache<Box<str>, Arc<Token>>>>,
}

impl Verifier {
    pub fn new(config: &Config) -> Self {
        let hs256 = config.jwt_hs256_secret.as_deref();
        let rs256 = config.jwt_rs256_public_key.clone();
        Self {
            hs256: hs256.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret)),
            rs256: rs256.map(|key| UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)),
            cache: config.jwt_cache.then(|| Mutex::new(LruCache::new(CACHED_TOKENS))),
        }
    }

    pub fn caches(&self) -> bool {
        self.cache.is_some()
    }

    /// Lets a request through that may pass; gives its token where one is needed.
    pub fn admit(&self, access: &Access, headers: &HeaderMap) -> Result<Option<Arc<Token>>, Refusal> {
        if access.auth == Auth::None {
            return Ok(None);
        }
        let token = self.verify(bearer(headers)?)?;
        match &access.scope {
            Some(scope) if !token.has_scope(scope) => Err(Refusal::InsufficientScope),
            _ => Ok(Some(token)),
        }
    }

    fn verify(&self, encoded: &str) -> Result<Arc<Token>, Refusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(token) = self.cached(encoded) {
            token.check_times(now)?;
            return Ok(token);
        }
        let token = Arc::new(self.decode(encoded).ok_or(Refusal::InvalidToken)?);
        token.check_times(now)?;
        if let Some(cache) = &self.cache {
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.put(encoded.into(), Arc::clone(&token));
        }
        Ok(token)
    }

    fn cached(&self, encoded: &str) -> Option<Arc<Token>> {
        let mut cache = self.cache.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(encoded).cloned()
    }

    fn decode(&self, encoded: &str) -> Option<Token> {
        let (signed, signature) = encoded.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        match object(header)?.get("alg")?.as_str()? {
            "HS256" => hmac::verify(self.hs256.as_ref()?, signed.as_bytes(), &signature).ok()?,
            "RS256" => self.rs256.as_ref()?.verify(signed.as_bytes(), &signature).ok()?,
            _ => return None,
        }
        Token::from_claims(object(claims)?)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers.get(AUTHORIZATION).ok_or(Refusal::MissingToken)?.as_bytes();
    let (scheme, token) = value.split_at(value.iter().position(|&byte| byte == b' ').unwrap_or(value.len()));
    let token = token.trim_ascii();
    if !scheme.eq_ignore_ascii_case(b"bearer") || token.is_empty() {
        return Err(Refusal::MissingToken);
    }
    std::str::from_utf8(token).map_err(|_| Refusal::InvalidToken)
}

fn object(encoded: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
