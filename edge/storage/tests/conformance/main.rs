//! One suite for all stores: what a repository promises is asked of each in the same words.

mod cache;
mod discovery;
#[cfg(unix)]
mod faults;
mod fixtures;
mod histories;
mod methods;
#[cfg(unix)]
mod migrations;
mod orders;
mod positions;
mod projection;
#[cfg(unix)]
mod redis_access;
#[cfg(unix)]
mod registry;
mod retention;
mod sqlite_file;
#[cfg(unix)]
mod stores;
mod strategies;
mod trades;

/// Makes of each function a test for every store of rows.
macro_rules! on_every_store {
    ($($name:ident: $suite:path;)+) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $suite(&crate::fixtures::memory()).await;
            })+
        }

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_folder, store) = crate::fixtures::sqlite().await;
                $suite(&store).await;
            })+
        }

        #[cfg(unix)]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(store) = crate::fixtures::postgres(stringify!($name)).await {
                    $suite(&store).await;
                }
            })+
        }
    };
}

/// Makes of each function a test for every cache, or for everything that knows who is there.
macro_rules! on_every_cache {
    ($($name:ident: $suite:path;)+) => {
        mod memory_cache {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $suite(&crate::fixtures::memory_volatile()).await;
            })+
        }

        #[cfg(unix)]
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(store) = crate::fixtures::redis(stringify!($name)) {
                    $suite(&store).await;
                }
            })+
        }
    };
}

on_every_store! {
    m45_4_strategies_are_written_read_changed_and_taken_away: crate::strategies::life;
    m45_4_strategies_are_found_by_every_filter: crate::strategies::queries;
    m45_4_strategies_count_and_earn: crate::strategies::figures;
    m45_4_no_change_of_a_strategy_is_lost: crate::strategies::versions;
    m45_4_strategies_with_children_stay: crate::strategies::children;
    m45_4_orders_are_written_read_changed_and_taken_away: crate::orders::life;
    m45_4_orders_are_found_by_every_filter: crate::orders::queries;
    m45_4_orders_take_only_legal_steps: crate::orders::steps;
    m45_4_fills_move_quantity_and_status: crate::orders::fills;
    m45_4_old_orders_go: crate::orders::cleanup;
    m45_4_trades_are_written_once: crate::trades::life;
    m45_4_trades_are_found_by_every_filter: crate::trades::queries;
    m45_4_trades_add_up_exactly: crate::trades::sums;
    m45_4_old_trades_go: crate::trades::cleanup;
    m45_4_positions_are_written_read_changed_and_taken_away: crate::positions::life;
    m45_4_positions_are_found_by_every_filter: crate::positions::queries;
    m45_4_positions_follow_their_price: crate::positions::marks;
    m45_4_closed_positions_are_closed: crate::positions::closing;
    m45_4_positions_add_up_exactly: crate::positions::sums;
    m45_4_old_positions_go: crate::positions::cleanup;
    a_projection_applies_repeats_and_refuses_gaps: crate::projection::sequences;
    a_projection_is_all_or_nothing: crate::projection::atomic;
    a_projection_writes_trades_once: crate::projection::once;
    a_stream_is_wiped_alone: crate::projection::wiped;
    a_sweep_takes_what_ended_and_is_old: crate::retention::swept;
    texts_come_back_as_they_were: crate::strategies::texts;
    figures_of_28_digits_come_back_as_they_were: crate::trades::digits;
    changes_at_the_same_time_all_count: crate::strategies::together;
}

on_every_cache! {
    m45_4_a_cache_keeps_and_forgets: crate::cache::values;
    m45_4_a_cache_counts: crate::cache::numbers;
    m45_4_a_cache_finds_keys: crate::cache::keys;
    m45_4_a_cache_lets_values_run_out: crate::cache::time;
    m45_4_services_come_and_go: crate::discovery::life;
    m45_4_the_best_service_is_found_first: crate::discovery::best;
    m45_4_stale_services_go: crate::discovery::stale;
}
