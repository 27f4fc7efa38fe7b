-- What the role of the engine may: rows, not tables. SCHEMA stands for the schema's quoted name.
GRANT USAGE ON SCHEMA SCHEMA TO trading_adapter;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA SCHEMA TO trading_adapter;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM trading_adapter;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA SCHEMA TO trading_adapter;
GRANT USAGE ON TYPE strategy_status, strategy_type, order_side, order_type, order_status, trade_side
    TO trading_adapter;
GRANT EXECUTE ON FUNCTION update_updated_at_column(), health_check() TO trading_adapter;
ALTER DEFAULT PRIVILEGES IN SCHEMA SCHEMA
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO trading_adapter;
ALTER DEFAULT PRIVILEGES IN SCHEMA SCHEMA GRANT USAGE, SELECT ON SEQUENCES TO trading_adapter;
ALTER DEFAULT PRIVILEGES IN SCHEMA SCHEMA GRANT USAGE ON TYPES TO trading_adapter;
ALTER DEFAULT PRIVILEGES IN SCHEMA SCHEMA GRANT EXECUTE ON FUNCTIONS TO trading_adapter;
