-- What the models have and the reference's tables have not. Rows that are there keep their times.
SELECT set_config('tse.projecting', 'on', true);

-- DECIMAL(20,8) has too few digits; a NUMERIC without bounds keeps what it is told, and nothing is rewritten.
DO $$
DECLARE narrow RECORD;
BEGIN
    FOR narrow IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema()
            AND table_name IN ('strategies', 'orders', 'trades', 'positions')
            AND data_type = 'numeric' AND numeric_precision IS NOT NULL
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE NUMERIC', narrow.table_name, narrow.column_name);
    END LOOP;
END $$;

ALTER TABLE strategies
    ADD COLUMN IF NOT EXISTS max_daily_loss NUMERIC,
    ADD COLUMN IF NOT EXISTS max_leverage NUMERIC,
    ADD COLUMN IF NOT EXISTS daily_pnl NUMERIC NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_trades BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS started_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS stopped_at TIMESTAMPTZ;

ALTER TABLE orders
    ADD COLUMN IF NOT EXISTS time_in_force TEXT NOT NULL DEFAULT 'gtc'
        CHECK (time_in_force IN ('gtc', 'ioc', 'fok', 'day')),
    ADD COLUMN IF NOT EXISTS remaining_quantity NUMERIC
        GENERATED ALWAYS AS (quantity - filled_quantity) STORED,
    ADD COLUMN IF NOT EXISTS stop_price NUMERIC,
    ADD COLUMN IF NOT EXISTS execution_venue TEXT,
    ADD COLUMN IF NOT EXISTS commission NUMERIC NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS realized_pnl NUMERIC,
    ADD COLUMN IF NOT EXISTS client_order_id TEXT,
    ADD COLUMN IF NOT EXISTS correlation_id TEXT;
CREATE UNIQUE INDEX IF NOT EXISTS idx_orders_client_order_id ON orders (client_order_id)
    WHERE client_order_id IS NOT NULL;

-- Trades of the reference have no venue. So nobody knows which of them are the same, and none is refused.
ALTER TABLE trades
    ADD COLUMN IF NOT EXISTS execution_venue TEXT NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS liquidity_flag TEXT CHECK (liquidity_flag IN ('maker', 'taker')),
    ADD COLUMN IF NOT EXISTS notes TEXT;
CREATE UNIQUE INDEX IF NOT EXISTS idx_trades_execution ON trades (exchange_trade_id, execution_venue)
    WHERE exchange_trade_id IS NOT NULL AND execution_venue <> '';

ALTER TABLE positions
    ADD COLUMN IF NOT EXISTS cost_basis NUMERIC,
    ADD COLUMN IF NOT EXISTS last_updated TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS closed_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS notes TEXT,
    ADD COLUMN IF NOT EXISTS venues JSONB NOT NULL DEFAULT '{}';
UPDATE positions SET
    average_entry_price = coalesce(average_entry_price, 0),
    current_price = coalesce(current_price, average_entry_price, 0),
    market_value = coalesce(market_value, quantity * coalesce(current_price, average_entry_price, 0)),
    unrealized_pnl = coalesce(unrealized_pnl, 0),
    realized_pnl = coalesce(realized_pnl, 0),
    total_pnl = coalesce(total_pnl, coalesce(realized_pnl, 0) + coalesce(unrealized_pnl, 0)),
    exposure = coalesce(exposure, abs(quantity) * coalesce(current_price, average_entry_price, 0)),
    cost_basis = coalesce(cost_basis, quantity * coalesce(average_entry_price, 0)),
    opened_at = coalesce(opened_at, created_at),
    last_updated = coalesce(last_updated, updated_at);
ALTER TABLE positions
    ALTER COLUMN average_entry_price SET NOT NULL,
    ALTER COLUMN current_price SET NOT NULL,
    ALTER COLUMN market_value SET NOT NULL,
    ALTER COLUMN unrealized_pnl SET NOT NULL,
    ALTER COLUMN realized_pnl SET NOT NULL,
    ALTER COLUMN total_pnl SET NOT NULL,
    ALTER COLUMN exposure SET NOT NULL,
    ALTER COLUMN cost_basis SET NOT NULL,
    ALTER COLUMN opened_at SET NOT NULL,
    ALTER COLUMN last_updated SET NOT NULL;

-- Where each row came from, and how far each stream is.
ALTER TABLE strategies ADD COLUMN IF NOT EXISTS stream TEXT;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS stream TEXT;
ALTER TABLE trades ADD COLUMN IF NOT EXISTS stream TEXT;
ALTER TABLE positions ADD COLUMN IF NOT EXISTS stream TEXT;
CREATE TABLE IF NOT EXISTS projections (
    stream TEXT PRIMARY KEY,
    applied BIGINT
);
