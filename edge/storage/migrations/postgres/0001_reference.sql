-- The tables as the reference's script makes them, for a schema that has none; what is there stays.
-- Postgres has no IF NOT EXISTS for types.
DO $$ BEGIN
    CREATE TYPE strategy_status AS ENUM ('inactive', 'active', 'paused', 'stopped', 'error');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
    CREATE TYPE strategy_type AS ENUM
        ('market_making', 'trend_following', 'mean_reversion', 'arbitrage', 'momentum', 'custom');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
    CREATE TYPE order_side AS ENUM ('buy', 'sell');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
    CREATE TYPE order_type AS ENUM ('market', 'limit', 'stop_loss', 'stop_limit', 'trailing_stop');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
    CREATE TYPE order_status AS ENUM ('pending', 'submitted', 'accepted', 'partially_filled', 'filled',
        'cancelled', 'rejected', 'expired');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
    CREATE TYPE trade_side AS ENUM ('buy', 'sell');
EXCEPTION WHEN duplicate_object THEN NULL; END $$;

CREATE TABLE IF NOT EXISTS strategies (
    strategy_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    strategy_type strategy_type NOT NULL,
    status strategy_status NOT NULL DEFAULT 'inactive',
    parameters JSONB NOT NULL DEFAULT '{}',
    instruments TEXT[] NOT NULL DEFAULT '{}',
    max_position_size NUMERIC,
    total_pnl NUMERIC NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    version INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY,
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    side order_side NOT NULL,
    order_type order_type NOT NULL,
    status order_status NOT NULL DEFAULT 'pending',
    quantity NUMERIC NOT NULL,
    filled_quantity NUMERIC NOT NULL DEFAULT 0,
    price NUMERIC,
    average_fill_price NUMERIC,
    exchange_order_id TEXT,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    submitted_at TIMESTAMPTZ,
    filled_at TIMESTAMPTZ,
    cancelled_at TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS trades (
    trade_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (order_id) ON DELETE CASCADE,
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    side trade_side NOT NULL,
    quantity NUMERIC NOT NULL,
    price NUMERIC NOT NULL,
    gross_value NUMERIC NOT NULL,
    commission NUMERIC NOT NULL DEFAULT 0,
    net_value NUMERIC NOT NULL,
    realized_pnl NUMERIC,
    exchange_trade_id TEXT,
    executed_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS positions (
    position_id TEXT PRIMARY KEY,
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id) ON DELETE CASCADE,
    instrument_id TEXT NOT NULL,
    quantity NUMERIC NOT NULL,
    average_entry_price NUMERIC NOT NULL,
    current_price NUMERIC NOT NULL,
    market_value NUMERIC NOT NULL,
    unrealized_pnl NUMERIC NOT NULL,
    realized_pnl NUMERIC NOT NULL DEFAULT 0,
    total_pnl NUMERIC NOT NULL,
    exposure NUMERIC NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (strategy_id, instrument_id)
);

CREATE INDEX IF NOT EXISTS idx_strategies_status ON strategies (status);
CREATE INDEX IF NOT EXISTS idx_strategies_strategy_type ON strategies (strategy_type);
CREATE INDEX IF NOT EXISTS idx_strategies_created_at ON strategies (created_at);
CREATE INDEX IF NOT EXISTS idx_orders_strategy_id ON orders (strategy_id);
CREATE INDEX IF NOT EXISTS idx_orders_instrument_id ON orders (instrument_id);
CREATE INDEX IF NOT EXISTS idx_orders_status ON orders (status);
CREATE INDEX IF NOT EXISTS idx_orders_created_at ON orders (created_at);
CREATE INDEX IF NOT EXISTS idx_orders_exchange_order_id ON orders (exchange_order_id)
    WHERE exchange_order_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_trades_order_id ON trades (order_id);
CREATE INDEX IF NOT EXISTS idx_trades_strategy_id ON trades (strategy_id);
CREATE INDEX IF NOT EXISTS idx_trades_instrument_id ON trades (instrument_id);
CREATE INDEX IF NOT EXISTS idx_trades_executed_at ON trades (executed_at);
CREATE INDEX IF NOT EXISTS idx_positions_strategy_id ON positions (strategy_id);
CREATE INDEX IF NOT EXISTS idx_positions_instrument_id ON positions (instrument_id);
CREATE INDEX IF NOT EXISTS idx_positions_quantity ON positions (quantity) WHERE quantity <> 0;
