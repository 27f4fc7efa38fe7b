-- A schema of the shape that the reference's script makes (spec 3.4), with some rows in it.
CREATE SCHEMA trading;
CREATE TYPE trading.strategy_status AS ENUM ('inactive', 'active', 'paused', 'stopped', 'error');
CREATE TYPE trading.strategy_type AS ENUM
    ('market_making', 'trend_following', 'mean_reversion', 'arbitrage', 'momentum', 'custom');
CREATE TYPE trading.order_side AS ENUM ('buy', 'sell');
CREATE TYPE trading.order_type AS ENUM ('market', 'limit', 'stop_loss', 'stop_limit', 'trailing_stop');
CREATE TYPE trading.order_status AS ENUM
    ('pending', 'submitted', 'accepted', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired');
CREATE TYPE trading.trade_side AS ENUM ('buy', 'sell');

CREATE TABLE trading.strategies (
    strategy_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    strategy_type trading.strategy_type NOT NULL,
    status trading.strategy_status NOT NULL DEFAULT 'inactive',
    parameters JSONB NOT NULL DEFAULT '{}',
    instruments TEXT[] NOT NULL DEFAULT '{}',
    max_position_size DECIMAL(20, 8),
    total_pnl DECIMAL(20, 8) NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    version INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE trading.orders (
    order_id TEXT PRIMARY KEY,
    strategy_id TEXT NOT NULL REFERENCES trading.strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    side trading.order_side NOT NULL,
    order_type trading.order_type NOT NULL,
    status trading.order_status NOT NULL DEFAULT 'pending',
    quantity DECIMAL(20, 8) NOT NULL,
    filled_quantity DECIMAL(20, 8) NOT NULL DEFAULT 0,
    price DECIMAL(20, 8),
    average_fill_price DECIMAL(20, 8),
    exchange_order_id TEXT,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    submitted_at TIMESTAMPTZ,
    filled_at TIMESTAMPTZ,
    cancelled_at TIMESTAMPTZ
);
CREATE TABLE trading.trades (
    trade_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES trading.orders (order_id) ON DELETE CASCADE,
    strategy_id TEXT NOT NULL REFERENCES trading.strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    side trading.trade_side NOT NULL,
    quantity DECIMAL(20, 8) NOT NULL,
    price DECIMAL(20, 8) NOT NULL,
    gross_value DECIMAL(20, 8) NOT NULL,
    commission DECIMAL(20, 8) NOT NULL DEFAULT 0,
    net_value DECIMAL(20, 8) NOT NULL,
    realized_pnl DECIMAL(20, 8),
    exchange_trade_id TEXT,
    executed_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);
CREATE TABLE trading.positions (
    position_id TEXT PRIMARY KEY,
    strategy_id TEXT NOT NULL REFERENCES trading.strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    quantity DECIMAL(20, 8) NOT NULL DEFAULT 0,
    average_entry_price DECIMAL(20, 8),
    current_price DECIMAL(20, 8),
    market_value DECIMAL(20, 8),
    unrealized_pnl DECIMAL(20, 8),
    realized_pnl DECIMAL(20, 8) DEFAULT 0,
    total_pnl DECIMAL(20, 8),
    exposure DECIMAL(20, 8),
    opened_at TIMESTAMPTZ DEFAULT NOW(),
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    UNIQUE (strategy_id, instrument_id)
);
CREATE INDEX idx_strategies_status ON trading.strategies (status);
CREATE INDEX idx_orders_strategy_id ON trading.orders (strategy_id);
CREATE INDEX idx_positions_quantity ON trading.positions (quantity) WHERE quantity != 0;

CREATE FUNCTION trading.update_updated_at_column() RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER update_positions_updated_at BEFORE UPDATE ON trading.positions
    FOR EACH ROW EXECUTE FUNCTION trading.update_updated_at_column();
CREATE TRIGGER update_strategies_updated_at BEFORE UPDATE ON trading.strategies
    FOR EACH ROW EXECUTE FUNCTION trading.update_updated_at_column();
CREATE FUNCTION trading.health_check() RETURNS JSONB AS $$ SELECT '{}'::jsonb $$ LANGUAGE sql;

INSERT INTO trading.strategies (strategy_id, name, strategy_type, instruments, total_pnl, updated_at)
    VALUES ('old', 'Old', 'momentum', '{BTC-USDT,ETH-USDT}', 12.5, '2025-10-01T00:00:00Z');
INSERT INTO trading.orders
    (order_id, strategy_id, instrument_id, side, order_type, quantity, filled_quantity)
    VALUES ('o', 'old', 'BTC-USDT', 'buy', 'stop_loss', 2, 0.5);
INSERT INTO trading.trades
    (trade_id, order_id, strategy_id, instrument_id, side, quantity, price, gross_value, net_value, exchange_trade_id)
    VALUES ('t1', 'o', 'old', 'BTC-USDT', 'buy', 1, 50000, 50000, 50000, 'same'),
           ('t2', 'o', 'old', 'BTC-USDT', 'buy', 1, 50000, 50000, 50000, 'same');
INSERT INTO trading.positions (position_id, strategy_id, instrument_id, quantity, average_entry_price)
    VALUES ('p', 'old', 'BTC-USDT', 2, 50000);
