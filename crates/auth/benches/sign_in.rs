//! What proving who calls costs, each beside the cryptography that no implementation can leave out, in the same run.
//!
//! ```sh
//! cargo bench --package tenantry-auth
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark stops at its first surprise, and measures by the clock of the machine"
)]

use std::{hint::black_box, num::NonZeroUsize, sync::Arc, time::Duration};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_auth::{
    access_tokens::AccessTokens,
    keys::Keyring,
    passwords::{PasswordCost, PasswordHasher},
    recovery_codes::RecoveryCode,
    refresh_tokens::RefreshToken,
    totp::TotpSecret,
    vault::{Purpose, Vault},
};
use tenantry_domain::{
    environment::{Environment, Source},
    ids::{SessionId, UserId},
};

/// The system's clock and randomness.
struct System;

impl Source for System {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).unwrap();
    }
}

fn environment() -> Environment {
    Environment::new(System)
}

fn keyring(environment: &Environment) -> Arc<Keyring> {
    Arc::new(Keyring::generate_in_memory(environment).unwrap())
}

/// Checking an access token takes no I/O: it is what every request pays.
fn access_tokens(criterion: &mut Criterion) {
    let environment = environment();
    let url = "https://tenantry.example".to_owned();
    let tokens = AccessTokens::new(keyring(&environment), url.clone(), url, Duration::from_secs(3600));
    let (user, session) = (UserId::new(&environment), SessionId::new(&environment));
    let token = tokens.issue(user, session, &environment).unwrap().token;
    let token = token.expose_secret();
    let now = environment.now();
    let mut group = criterion.benchmark_group("access token");
    group.bench_function("issue", |bencher| {
        bencher.iter(|| tokens.issue(user, session, &environment).unwrap());
    });
    group.bench_function("verify", |bencher| {
        bencher.iter(|| tokens.verify(black_box(token), now).unwrap());
    });
    // The limit: an Ed25519 signature over as many bytes.
    let pair = Ed25519KeyPair::generate().unwrap();
    let message = token.as_bytes();
    let signature = pair.sign(message);
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref().to_vec());
    group.bench_function("limit: sign", |bencher| bencher.iter(|| pair.sign(black_box(message))));
    group.bench_function("limit: verify", |bencher| {
        bencher.iter(|| public.verify(black_box(message), signature.as_ref()).unwrap());
    });
    group.finish();
}

/// Hashing a password takes long on purpose.
fn passwords(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .unwrap();
    let hasher = PasswordHasher::new(PasswordCost::RECOMMENDED, NonZeroUsize::MIN, environment());
    let password = SecretString::from("a long phrase nobody guesses");
    let hash = runtime.block_on(hasher.hash(password.clone())).unwrap();
    let mut group = criterion.benchmark_group("password");
    group.sample_size(20);
    group.bench_function("verify", |bencher| {
        bencher.iter(|| runtime.block_on(hasher.verify(password.clone(), Some(&hash))).unwrap());
    });
    group.bench_function("verify that of nobody", |bencher| {
        bencher.iter(|| runtime.block_on(hasher.verify(password.clone(), None)).unwrap());
    });
    // The limit: Argon2id with the parameters of the hash, on this thread.
    let parsed = argon2::PasswordHash::new(&hash).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::try_from(&parsed).unwrap());
    group.bench_function("limit: argon2id", |bencher| {
        bencher.iter(|| {
            let mut out = [0; 32];
            argon2
                .hash_password_into(password.expose_secret().as_bytes(), b"sixteen bytes ok", &mut out)
                .unwrap();
            out
        });
    });
    group.finish();
}

/// A code of an authenticator app is compared with those of three time steps, and its secret is opened before.
fn second_factors(criterion: &mut Criterion) {
    let environment = environment();
    let secret = TotpSecret::generate(&environment);
    let now = environment.now();
    let keys = keyring(&environment);
    let vault = Vault::new(Arc::clone(&keys), keys);
    let owner = UserId::new(&environment);
    let sealed = vault
        .seal(Purpose::Totp, owner.as_uuid(), secret.as_bytes(), &environment)
        .unwrap();
    let code = RecoveryCode::generate(&environment);
    let written = code.secret();
    let mut group = criterion.benchmark_group("second factor");
    group.bench_function("compare a code", |bencher| {
        bencher.iter(|| secret.step_of(black_box("000000"), now));
    });
    group.bench_function("open a sealed secret", |bencher| {
        bencher.iter(|| vault.open(Purpose::Totp, owner.as_uuid(), black_box(&sealed)).unwrap());
    });
    group.bench_function("read and hash a recovery code", |bencher| {
        bencher.iter(|| {
            RecoveryCode::parse(black_box(written.expose_secret()))
                .unwrap()
                .hash(owner)
        });
    });
    // The limit of comparing: three times HMAC-SHA1.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    group.bench_function("limit: three HMACs", |bencher| {
        bencher.iter(|| [1_u64, 2, 3].map(|step| hmac::sign(&key, &black_box(step).to_be_bytes())));
    });
    group.finish();
}

fn refresh_tokens(criterion: &mut Criterion) {
    let environment = environment();
    let token = RefreshToken::generate(&environment).secret();
    criterion.bench_function("refresh token: read and hash", |bencher| {
        bencher.iter(|| RefreshToken::parse(black_box(token.expose_secret())).unwrap().hash());
    });
}

criterion_group!(benches, access_tokens, passwords, second_factors, refresh_tokens);
criterion_main!(benches);
