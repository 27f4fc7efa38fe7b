//! M45-5: the schema, on an empty database and on one that the reference's script made.

use crate::fixtures::{d, schema, strategy};
use std::sync::Arc;
use tse_storage::testing::{PostgresServer, shared_postgres};
use tse_storage::{
    Order, OrderType, Postgres, PostgresOptions, Repositories, SCHEMA_VERSION, Schema, Secret,
    Step, StorageError, StoreUrl, SystemClock, migrate,
};

const REFERENCE: &str = include_str!("reference.sql");

fn url(server: &PostgresServer) -> StoreUrl {
    StoreUrl::parse(&server.url("postgres")).expect("a URL")
}

fn store(server: &PostgresServer, user: &str, schema: &Schema) -> Postgres {
    let url = StoreUrl::parse(&server.url_as(user, "postgres")).expect("a URL");
    let options = PostgresOptions::new(url, schema.clone());
    Postgres::new(&options, Arc::new(SystemClock)).expect("a store")
}

fn versions(steps: &[Step]) -> Vec<i64> {
    let versions = steps.iter().filter_map(|step| match step {
        Step::Applied { version, .. } => Some(*version),
        _ => None,
    });
    versions.collect()
}

#[tokio::test]
async fn m45_5_an_empty_database_gets_everything_and_the_second_run_does_nothing() {
    let Some(server) = shared_postgres() else { return };
    let schema = schema("empty");
    let steps = migrate(&url(server), &schema, None).await.expect("migrated");
    assert_eq!(steps.first(), Some(&Step::SchemaCreated(schema.to_string())));
    assert_eq!(versions(&steps), (1..=SCHEMA_VERSION).collect::<Vec<_>>());
    assert_eq!(steps.last(), Some(&Step::Granted));
    assert_eq!(migrate(&url(server), &schema, None).await, Ok(vec![]));

    let ask = |sql: &str| server.sql("postgres", &sql.replace("SCHEMA", schema.as_str()));
    let tables = ask(
        "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'SCHEMA'",
    );
    assert_eq!(tables, "orders positions projections schema_migrations strategies trades");
    let types = ask(
        "SELECT count(*) FROM pg_type WHERE typtype = 'e' AND typnamespace = 'SCHEMA'::regnamespace",
    );
    assert_eq!(types, "6");
    let triggers = ask(
        "SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
         WHERE relnamespace = 'SCHEMA'::regnamespace AND NOT tgisinternal",
    );
    assert_eq!(
        triggers,
        "update_orders_updated_at update_positions_updated_at update_strategies_updated_at"
    );
    let bounded = ask(
        "SELECT count(*) FROM information_schema.columns
         WHERE table_schema = 'SCHEMA' AND numeric_precision IS NOT NULL AND data_type = 'numeric'",
    );
    assert_eq!(bounded, "0", "no number has bounds");
}

#[tokio::test]
async fn m45_5_health_check_is_json_and_names_its_schema() {
    let Some(server) = shared_postgres() else { return };
    let schema = schema("health");
    migrate(&url(server), &schema, None).await.expect("migrated");
    let store = store(server, "postgres", &schema);
    store.check().await.expect("it is there");
    for n in 0..3 {
        store.strategies().create(&strategy(&format!("s{n}"))).await.expect("created");
    }
    server.sql("postgres", &format!("ANALYZE {schema}.strategies"));
    let health = store.health().await.expect("an answer");
    assert_eq!(health["schema"], schema.as_str());
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["tables"]["strategies"], 3);
    assert_eq!(health["tables"].as_object().expect("an object").len(), 4);
    assert!(health["timestamp"].is_string());
    // Wherever it is called from.
    let elsewhere = server.sql("postgres", &format!("SELECT {schema}.health_check()->>'schema'"));
    assert_eq!(elsewhere, schema.as_str());
}

#[tokio::test]
async fn m45_5_a_database_of_the_reference_keeps_its_rows_and_gets_what_is_missing() {
    let Some(server) = shared_postgres() else { return };
    let schema = schema("reference");
    server.sql(
        "postgres",
        &REFERENCE
            .replace("trading.", &format!("{schema}."))
            .replace("SCHEMA trading", &format!("SCHEMA {schema}")),
    );
    let steps = migrate(&url(server), &schema, None).await.expect("migrated");
    assert_eq!(versions(&steps), (1..=SCHEMA_VERSION).collect::<Vec<_>>());
    assert!(!steps.contains(&Step::SchemaCreated(schema.to_string())));
    assert_eq!(migrate(&url(server), &schema, None).await, Ok(vec![]));

    let store = store(server, "postgres", &schema);
    let row = store.strategies().get_by_id("old").await.expect("read").expect("there");
    assert_eq!((row.total_pnl, row.total_trades, row.version), (d("12.5"), 0, 1));
    assert_eq!(row.instruments, ["BTC-USDT", "ETH-USDT"]);
    assert_eq!(row.updated_at.to_string(), "2025-10-01T00:00:00.000000Z", "nobody changed it");
    let row = store.orders().get_by_id("o").await.expect("read").expect("there");
    assert_eq!((row.order_type, row.remaining_quantity), (OrderType::Stop, d("1.5")));
    let row = store.trades().get_by_id("t1").await.expect("read").expect("there");
    assert_eq!((row.execution_venue.as_str(), row.gross_value), ("", d("50000")));
    assert!(
        store.trades().get_by_id("t2").await.expect("read").is_some(),
        "the same name, and kept"
    );
    let row = store.positions().get_by_id("p").await.expect("read").expect("there");
    row.validate().expect("everything follows");
    assert_eq!((row.cost_basis, row.current_price), (d("100000"), d("50000")));
    // And what did not fit before does now.
    let mut wide = strategy("wide");
    wide.total_pnl = d("123456789012345.123456789012");
    store.strategies().create(&wide).await.expect("created");
    assert_eq!(store.strategies().get_by_id("wide").await, Ok(Some(wide)));
    // A trailing stop is no order of ours: it is refused where it is read, and not misread.
    server.sql("postgres", &format!("UPDATE {schema}.orders SET order_type = 'trailing_stop'"));
    assert_eq!(store.orders().get_by_id("o").await.expect_err("not ours").code(), "TSE-P010");
}

#[tokio::test]
async fn the_role_of_the_engine_may_change_rows_and_nothing_else() {
    // A server of its own: a password is for the whole server.
    let Some(server) = PostgresServer::start(&[]) else { return };
    let schema = Schema::new("trading").expect("a name");
    let steps = migrate(&url(&server), &schema, None).await.expect("migrated");
    assert!(steps.contains(&Step::RoleCreated));
    let adapter = store(&server, "trading_adapter", &schema);
    let refused = adapter.check().await.expect_err("it cannot log in");
    assert_eq!(refused.code(), "TSE-P008", "{refused}");

    let password = Secret::new("it's a 'canary' \\ password");
    let steps = migrate(&url(&server), &schema, Some(&password)).await.expect("migrated");
    assert_eq!(steps, [Step::PasswordSet]);
    assert!(!format!("{steps:?}").contains("canary"));
    adapter.check().await.expect("it may log in");
    adapter.strategies().create(&strategy("s")).await.expect("it may write rows");
    adapter.strategies().increment_trade_count("s").await.expect("and change them");
    adapter.health().await.expect("and ask how it stands");
    adapter.strategies().delete("s").await.expect("and take them away");
    let refused = migrate(
        &StoreUrl::parse(&server.url_as("trading_adapter", "postgres")).expect("a URL"),
        &Schema::new("another").expect("a name"),
        None,
    )
    .await
    .expect_err("it may not make schemas");
    assert_eq!(refused.code(), "TSE-P008");
    let path =
        server.sql("postgres", "SELECT rolconfig FROM pg_roles WHERE rolname = 'trading_adapter'");
    assert!(path.contains("search_path=trading, public"), "{path}");
}

#[tokio::test]
async fn who_may_not_make_roles_still_makes_the_tables_and_is_told() {
    let Some(server) = PostgresServer::start(&[]) else { return };
    server.sql("postgres", "CREATE ROLE owner LOGIN; GRANT CREATE ON DATABASE postgres TO owner");
    let schema = Schema::new("mine").expect("a name");
    let url = StoreUrl::parse(&server.url_as("owner", "postgres")).expect("a URL");
    let steps = migrate(&url, &schema, None).await.expect("migrated");
    assert!(matches!(steps.last(), Some(Step::GrantsSkipped(_))), "{steps:?}");
    store(&server, "owner", &schema).check().await.expect("the tables are there");
    // Somebody who may comes later.
    let admin = StoreUrl::parse(&server.url("postgres")).expect("a URL");
    let steps = migrate(&admin, &schema, None).await.expect("migrated");
    assert_eq!(steps, [Step::RoleCreated, Step::Granted]);
}

#[tokio::test]
async fn many_may_migrate_at_once() {
    let Some(server) = shared_postgres() else { return };
    let (url, schema) = (url(server), schema("at_once"));
    let (a, b, c) = tokio::join!(
        migrate(&url, &schema, None),
        migrate(&url, &schema, None),
        migrate(&url, &schema, None)
    );
    let done = [a, b, c].map(|steps| versions(&steps.expect("migrated")).len() as i64);
    assert_eq!(done.iter().sum::<i64>(), SCHEMA_VERSION, "each version once: {done:?}");
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_said_to_be_missing() {
    let Some(server) = shared_postgres() else { return };
    let schema = schema("nobody");
    let store = store(server, "postgres", &schema);
    let missing = StorageError::SchemaMissing {
        schema: schema.to_string(),
        found: 0,
        wanted: SCHEMA_VERSION,
    };
    assert_eq!(store.check().await, Err(missing.clone()));
    assert_eq!(store.strategies().get_by_id("s").await, Err(missing.clone()));
    let order = Order::new("o", "s", "A", tse_storage::Side::Buy, d("1"), crate::fixtures::noon());
    assert_eq!(store.orders().create(&order).await, Err(missing));
    let gone = StoreUrl::parse(&server.url("no_such_database")).expect("a URL");
    assert_eq!(migrate(&gone, &schema, None).await.expect_err("no database").code(), "TSE-P006");
}

#[tokio::test]
async fn nothing_that_is_said_has_the_password_in_it() {
    let Some(server) = shared_postgres() else { return };
    let text = format!(
        "postgresql://nobody:canary@localhost/no_such_database?host={}",
        server.folder().display()
    );
    let url = StoreUrl::parse(&text).expect("a URL");
    let schema = schema("secret");
    let options = PostgresOptions::new(url.clone(), schema.clone());
    let store = Postgres::new(&options, Arc::new(SystemClock)).expect("a store");
    let failed = store.check().await.expect_err("no such user");
    let also = migrate(&url, &schema, None).await.expect_err("no such user");
    let said = format!("{url} {url:?} {options:?} {store:?} {failed} {failed:?} {also} {also:?}");
    assert!(!said.contains("canary"), "{said}");
}
