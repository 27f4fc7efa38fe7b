-- Whoever changes a row changes its time, except the projector: rows of a projection have the times that
-- the journal says.
CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('tse.projecting', true) IS DISTINCT FROM 'on' THEN
        NEW.updated_at = now();
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS update_strategies_updated_at ON strategies;
CREATE TRIGGER update_strategies_updated_at BEFORE UPDATE ON strategies
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
DROP TRIGGER IF EXISTS update_orders_updated_at ON orders;
CREATE TRIGGER update_orders_updated_at BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
DROP TRIGGER IF EXISTS update_positions_updated_at ON positions;
CREATE TRIGGER update_positions_updated_at BEFORE UPDATE ON positions
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- How many rows there are as the planner estimates it: counting them takes long where there are many.
-- The reference has it with another type of answer in some versions, so it is not replaced but made anew.
DROP FUNCTION IF EXISTS health_check();
CREATE FUNCTION health_check() RETURNS JSON LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT json_build_object(
        'schema', current_schema(),
        'status', 'healthy',
        'tables', json_object_agg(relname, greatest(reltuples, 0)::bigint ORDER BY relname),
        'timestamp', now()
    )
    FROM pg_catalog.pg_class
    WHERE relnamespace = current_schema()::regnamespace
        AND relname IN ('strategies', 'orders', 'trades', 'positions') AND relkind IN ('r', 'p')
$$;
