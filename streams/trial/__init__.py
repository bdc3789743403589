"""Rules on trial, without a broker: `outwatch policy test` and `backtest`, by the very reducer and the very engine."""
