-- The four tables and how far each stream is. Decimals are canonical text, times microseconds since 1970.
CREATE TABLE strategies (
    strategy_id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    strategy_type TEXT NOT NULL,
    status TEXT NOT NULL,
    parameters TEXT NOT NULL,
    instruments TEXT NOT NULL,
    max_position_size TEXT,
    max_daily_loss TEXT,
    max_leverage TEXT,
    total_pnl TEXT NOT NULL,
    daily_pnl TEXT NOT NULL,
    total_trades INTEGER NOT NULL,
    started_at INTEGER,
    stopped_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    stream TEXT
) STRICT;
CREATE INDEX strategies_status ON strategies (status);
CREATE INDEX strategies_created_at ON strategies (created_at);

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY NOT NULL,
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id),
    instrument_id TEXT NOT NULL,
    side TEXT NOT NULL,
    order_type TEXT NOT NULL,
    status TEXT NOT NULL,
    time_in_force TEXT NOT NULL,
    quantity TEXT NOT NULL,
    filled_quantity TEXT NOT NULL,
    remaining_quantity TEXT NOT NULL,
    price TEXT,
    stop_price TEXT,
    average_fill_price TEXT,
    exchange_order_id TEXT,
    execution_venue TEXT,
    commission TEXT NOT NULL,
    realized_pnl TEXT,
    created_at INTEGER NOT NULL,
    submitted_at INTEGER,
    filled_at INTEGER,
    cancelled_at INTEGER,
    updated_at INTEGER NOT NULL,
    error_message TEXT,
    client_order_id TEXT UNIQUE,
    correlation_id TEXT,
    stream TEXT
) STRICT;
CREATE INDEX orders_strategy_id ON orders (strategy_id);
CREATE INDEX orders_instrument_id ON orders (instrument_id);
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_created_at ON orders (created_at);
CREATE INDEX orders_exchange_order_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL;

CREATE TABLE trades (
    trade_id TEXT PRIMARY KEY NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (order_id),
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id),
    instrument_id TEXT NOT NULL,
    side TEXT NOT NULL,
    quantity TEXT NOT NULL,
    price TEXT NOT NULL,
    gross_value TEXT NOT NULL,
    commission TEXT NOT NULL,
    net_value TEXT NOT NULL,
    exchange_trade_id TEXT,
    execution_venue TEXT NOT NULL,
    liquidity_flag TEXT,
    realized_pnl TEXT,
    executed_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    notes TEXT,
    stream TEXT
) STRICT;
CREATE INDEX trades_order_id ON trades (order_id);
CREATE INDEX trades_strategy_id ON trades (strategy_id);
CREATE INDEX trades_instrument_id ON trades (instrument_id);
CREATE INDEX trades_executed_at ON trades (executed_at);
CREATE UNIQUE INDEX trades_execution ON trades (exchange_trade_id, execution_venue)
    WHERE exchange_trade_id IS NOT NULL AND execution_venue <> '';

CREATE TABLE positions (
    position_id TEXT PRIMARY KEY NOT NULL,
    strategy_id TEXT NOT NULL REFERENCES strategies (strategy_id),
    instrument_id TEXT NOT NULL,
    quantity TEXT NOT NULL,
    average_entry_price TEXT NOT NULL,
    current_price TEXT NOT NULL,
    market_value TEXT NOT NULL,
    unrealized_pnl TEXT NOT NULL,
    realized_pnl TEXT NOT NULL,
    total_pnl TEXT NOT NULL,
    cost_basis TEXT NOT NULL,
    exposure TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    closed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    notes TEXT,
    venues TEXT NOT NULL,
    stream TEXT,
    UNIQUE (strategy_id, instrument_id)
) STRICT;
CREATE INDEX positions_instrument_id ON positions (instrument_id);
CREATE INDEX positions_open ON positions (quantity) WHERE quantity <> '0';

CREATE TABLE projections (
    stream TEXT PRIMARY KEY NOT NULL,
    applied INTEGER NOT NULL
) STRICT;
