//! Indicators: small, incremental, in floats. They say nothing about money.

mod cross;
mod ema;
mod volatility;

pub use cross::Cross;
pub use ema::Ema;
pub use volatility::Volatility;
