//! Readers against real files and against broken ones.
//!
//! Real data lives in the folder `shared/data` beside the repository, or where `TSE_SHARED` says.
//! Tests that need it say loudly that they are skipped when it is not there, and fail instead when
//! `TSE_REQUIRE_DATA=1`.

mod binance;
mod broken;
mod capture;
mod columnar;
mod common;
mod databento;
mod facts;
mod hostile;
mod lean;
mod roundtrip;
mod tables;
