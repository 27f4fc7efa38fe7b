//! The exponential moving average.

/// Exponential moving average with `alpha = 2 / (n + 1)`; its first value is the first input.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ema {
    alpha: f64,
    value: Option<f64>,
}

tse_model::kept_fields! {
    Ema { saved: value; built: alpha }
}

impl Ema {
    /// An average over about `n` inputs.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn new(n: u32) -> Self {
        assert!(n > 0, "an average is over something");
        Self { alpha: 2.0 / (f64::from(n) + 1.0), value: None }
    }

    /// Takes an input and gives the new average.
    pub fn update(&mut self, input: f64) -> f64 {
        let value = match self.value {
            None => input,
            Some(value) => self.alpha * input + (1.0 - self.alpha) * value,
        };
        self.value = Some(value);
        value
    }

    /// The average; `None` before the first input.
    pub fn value(&self) -> Option<f64> {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_the_first_input_and_alpha_is_two_over_n_plus_one() {
        let mut ema = Ema::new(3);
        assert_eq!(ema.update(8.0), 8.0);
        // alpha = 0.5, worked out by hand.
        assert_eq!(ema.update(4.0), 6.0);
        assert_eq!(ema.update(6.0), 6.0);
        assert_eq!(ema.update(0.0), 3.0);
    }
}
