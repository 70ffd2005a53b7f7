//! The settings: environment variables, each read once and refused when malformed.

use std::{
    env, fmt, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use axum::http::Uri;
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use spki::{DecodePublicKey, SubjectPublicKeyInfoRef};

use crate::{hiccups::HiccupSettings, log::Level};

const METERS_DIR: &str = "GATEWAY_METERS_DIR";
const HICCUP_US: &str = "GATEWAY_HICCUP_US";

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the gateway was started with.
#[derive(Debug)]
pub struct Config {
    pub address: SocketAddr,
    pub routes: PathBuf,
    pub workers: usize,
    pub upstream: Option<Uri>,
    pub upstream_pool: bool,
    /// The most upstream connections open at once while the pool is on.
    pub upstream_pool_size: usize,
    /// From the first byte sent upstream to the last byte received.
    pub upstream_timeout: Duration,
    pub jwt_hs256_secret: Option<Vec<u8>>,
    /// PKCS #1 `RSAPublicKey` in DER.
    pub jwt_rs256_public_key: Option<Vec<u8>>,
    pub jwt_cache: bool,
    pub live_set_mib: usize,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Longest time for a request's header, and for its body.
    pub read_timeout: Duration,
    pub drain_delay: Duration,
    pub drain_timeout: Duration,
    pub log_level: Level,
    pub faults: bool,
    /// Folder for what the process records of itself.
    pub meters: Option<PathBuf>,
    pub hiccups: Option<HiccupSettings>,
}

/// A variable that is missing or does not say what it should.
#[derive(Debug)]
pub struct Malformed {
    pub variable: &'static str,
    pub reason: String,
}

impl Malformed {
    pub fn new(variable: &'static str, reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self { variable, reason }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.reason)
    }
}

impl Config {
    pub fn from_environment() -> Result<Self, Malformed> {
        let host = parsed("GATEWAY_HOST")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let port = required("GATEWAY_PORT", parsed("GATEWAY_PORT")?)?;
        let meters: Option<PathBuf> = parsed(METERS_DIR)?;
        let hiccups = meters.clone().zip(hiccup_period_ns()?);
        Ok(Self {
            address: SocketAddr::new(host, port),
            routes: required("GATEWAY_ROUTES", parsed("GATEWAY_ROUTES")?)?,
            workers: at_least_one("GATEWAY_WORKERS", 1)?,
            upstream: upstream()?,
            upstream_pool: switch("GATEWAY_UPSTREAM_POOL")?,
            upstream_pool_size: at_least_one("GATEWAY_UPSTREAM_POOL_SIZE", 64)?,
            upstream_timeout: milliseconds("GATEWAY_UPSTREAM_TIMEOUT_MS", 2000)?,
            jwt_hs256_secret: hs256_secret()?,
            jwt_rs256_public_key: rs256_public_key()?,
            jwt_cache: switch("GATEWAY_JWT_CACHE")?,
            live_set_mib: parsed("GATEWAY_LIVE_SET_MIB")?.unwrap_or(64),
            body_limit: parsed("GATEWAY_BODY_LIMIT")?.unwrap_or(1_048_576),
            read_timeout: milliseconds("GATEWAY_READ_TIMEOUT_MS", 5000)?,
            drain_delay: milliseconds("GATEWAY_DRAIN_DELAY_MS", 0)?,
            drain_timeout: milliseconds("GATEWAY_DRAIN_TIMEOUT_MS", 10_000)?,
            log_level: parsed("GATEWAY_LOG_LEVEL")?.unwrap_or(Level::Warn),
            faults: is_set("ENABLE_FAULTS"),
            meters,
            hiccups: hiccups.map(|(folder, period_ns)| HiccupSettings { folder, period_ns }),
        })
    }
}

/// What the process needs of the environment if it is a control, and not a gateway.
pub fn control() -> Result<Option<HiccupSettings>, Malformed> {
    if !is_set("GATEWAY_CONTROL") {
        return Ok(None);
    }
    let folder = required(METERS_DIR, parsed(METERS_DIR)?)?;
    let period_ns = hiccup_period_ns()?.ok_or_else(|| Malformed::new(HICCUP_US, "must not be 0 in a control"))?;
    Ok(Some(HiccupSettings { folder, period_ns }))
}

fn hiccup_period_ns() -> Result<Option<i64>, Malformed> {
    let period_us: u32 = parsed(HICCUP_US)?.unwrap_or(10_000);
    Ok((period_us > 0).then(|| i64::from(period_us) * 1000))
}

/// Whether a variable is `1`; any other value is as good as none.
fn is_set(variable: &'static str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

/// A variable's value; an empty one is as good as none.
fn text(variable: &'static str) -> Result<Option<String>, Malformed> {
    match env::var(variable) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Malformed::new(variable, error)),
    }
}

fn parsed<T>(variable: &'static str) -> Result<Option<T>, Malformed>
where
    T: FromStr<Err: fmt::Display>,
{
    text(variable)?.map(|value| value.parse()).transpose().map_err(|reason| Malformed::new(variable, reason))
}

fn required<T>(variable: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed::new(variable, "is required"))
}

fn at_least_one(variable: &'static str, default: usize) -> Result<usize, Malformed> {
    match parsed(variable)?.unwrap_or(default) {
        0 => Err(Malformed::new(variable, "must be 1 or more")),
        number => Ok(number),
    }
}

fn milliseconds(variable: &'static str, default: u64) -> Result<Duration, Malformed> {
    Ok(Duration::from_millis(parsed(variable)?.unwrap_or(default)))
}

fn switch(variable: &'static str) -> Result<bool, Malformed> {
    match text(variable)?.as_deref() {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => Err(Malformed::new(variable, "must be on or off")),
    }
}

fn upstream() -> Result<Option<Uri>, Malformed> {
    const VARIABLE: &str = "GATEWAY_UPSTREAM";
    let Some(uri) = parsed::<Uri>(VARIABLE)? else {
        return Ok(None);
    };
    if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
        return Err(Malformed::new(VARIABLE, "must be like http://127.0.0.1:9000"));
    }
    Ok(Some(uri))
}

fn hs256_secret() -> Result<Option<Vec<u8>>, Malformed> {
    const VARIABLE: &str = "GATEWAY_JWT_HS256_SECRET";
    let Some(encoded) = text(VARIABLE)? else {
        return Ok(None);
    };
    let secret = BASE64URL.decode(encoded).map_err(|reason| Malformed::new(VARIABLE, reason))?;
    Ok(Some(secret))
}

fn rs256_public_key() -> Result<Option<Vec<u8>>, Malformed> {
    const VARIABLE: &str = "GATEWAY_JWT_RS256_PUBLIC_KEY";
    let Some(path) = text(VARIABLE)? else {
        return Ok(None);
    };
    let pem = fs::read_to_string(path).map_err(|reason| Malformed::new(VARIABLE, reason))?;
    let key = RsaPublicKey::from_public_key_pem(pem.trim()).map_err(|reason| Malformed::new(VARIABLE, reason))?;
    Ok(Some(key.0))
}

/// The key inside of a `SubjectPublicKeyInfo`, as `ring` takes it.
struct RsaPublicKey(Vec<u8>);

impl TryFrom<SubjectPublicKeyInfoRef<'_>> for RsaPublicKey {
    type Error = spki::Error;

    fn try_from(info: SubjectPublicKeyInfoRef<'_>) -> spki::Result<Self> {
        const RSA_ENCRYPTION: spki::ObjectIdentifier = spki::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        info.algorithm.assert_algorithm_oid(RSA_ENCRYPTION)?;
        let key = info.subject_public_key.as_bytes().ok_or(spki::Error::KeyMalformed)?;
        Ok(Self(key.to_vec()))
    }
}
