use super::*;

fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Vec<BadVariable>> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::of(Variables::new(pairs))
}

#[test]
fn m120_1_an_empty_instance_name_becomes_the_name_of_the_service() {
    for pairs in [&[][..], &[("SERVICE_INSTANCE_NAME", "")], &[("SERVICE_INSTANCE_NAME", "  ")]] {
        assert_eq!(settings(pairs).unwrap().instance.display_name(), "trading-system-engine");
    }
    let named = settings(&[("service_name", "desk")]).unwrap();
    assert_eq!((named.service.as_str(), named.instance.display_name()), ("desk", "desk"));
    let both = settings(&[("SERVICE_NAME", "desk"), ("Service_Instance_Name", "desk-LH")]).unwrap();
    assert_eq!((both.service.as_str(), both.instance.display_name()), ("desk", "desk-LH"));
}

#[test]
fn m120_2_four_environments_are_taken_and_no_other() {
    for (word, environment) in [
        ("development", Environment::Development),
        ("testing", Environment::Testing),
        ("Production", Environment::Production),
        ("docker", Environment::Docker),
    ] {
        assert_eq!(settings(&[("ENVIRONMENT", word)]).unwrap().environment, environment);
    }
    assert_eq!(settings(&[]).unwrap().environment, Environment::Development);
    let wrong = settings(&[("ENVIRONMENT", "staging")]).unwrap_err();
    assert_eq!(wrong[0].name, "ENVIRONMENT");
    assert!(wrong[0].to_string().contains("development, testing, production, docker"));
}

#[test]
fn m120_8_ports_are_8083_and_50053_unless_said_otherwise() {
    let usual = settings(&[]).unwrap();
    assert_eq!((usual.http_port, usual.grpc_port), (8083, 50053));
    assert_eq!(usual.host, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let other = settings(&[("HTTP_PORT", "8080"), ("GRPC_PORT", "50051")]).unwrap();
    assert_eq!((other.http_port, other.grpc_port), (8080, 50051));
    let alias = settings(&[("TRADING_ENGINE_PORT", "9000"), ("HTTP_PORT", "9001")]).unwrap();
    assert_eq!(alias.http_port, 9001, "an alias counts for less");
    for wrong in ["0", "65536", "-1", "http", "80.5"] {
        assert_eq!(settings(&[("HTTP_PORT", wrong)]).unwrap_err()[0].name, "HTTP_PORT");
    }
    let same = settings(&[("HTTP_PORT", "50053")]).unwrap_err();
    assert_eq!((same.len(), same[0].name.as_str()), (1, "GRPC_PORT"));
}

#[test]
fn m120_9_a_log_level_is_taken_in_any_case() {
    for word in ["info", "INFO", "Info"] {
        assert_eq!(settings(&[("LOG_LEVEL", word)]).unwrap().log_level, LogLevel::Info);
    }
    assert_eq!(settings(&[("LOG_LEVEL", "critical")]).unwrap().log_level, LogLevel::Critical);
    assert_eq!(settings(&[("LOG_LEVEL", "loud")]).unwrap_err()[0].name, "LOG_LEVEL");
}

#[test]
fn the_registry_has_settings_of_its_own() {
    let it = settings(&[]).unwrap();
    assert_eq!((&it.discovery_redis, &it.advertise, &it.registry), (&None, &None, &None));
    assert_eq!((it.heartbeat.as_secs(), it.registration_retry.as_secs()), (30, 5));
    let it = settings(&[
        ("DISCOVERY_REDIS_URL", "redis://trading-service:x@r"),
        ("ADVERTISE_HOST", "engine.local"),
        ("SERVICE_REGISTRY_URL", "http://registry:8080"),
        ("HEALTH_CHECK_INTERVAL", "0.5"),
        ("REGISTRATION_RETRY_INTERVAL", "1"),
    ]);
    let it = it.unwrap();
    assert_eq!(it.advertise.as_deref(), Some("engine.local"));
    assert_eq!(it.registry.as_deref(), Some("http://registry:8080"));
    assert_eq!((it.heartbeat.as_millis(), it.registration_retry.as_secs()), (500, 1));
    assert!(it.discovery_redis.is_some());
    for (name, wrong) in [
        ("HEALTH_CHECK_INTERVAL", "0"),
        ("REGISTRATION_RETRY_INTERVAL", "0"),
        ("ADVERTISE_HOST", "http://a b:1/"),
        ("SERVICE_REGISTRY_URL", "ftp://registry"),
    ] {
        assert_eq!(settings(&[(name, wrong)]).unwrap_err()[0].name, name);
    }
}

#[test]
fn what_a_config_says_cannot_be_said_by_the_environment() {
    for (name, value) in [
        ("MAX_POSITION_SIZE", "1000000.0"),
        ("RISK_LIMIT_THRESHOLD", "500000.0"),
        ("ORDER_TIMEOUT_SECONDS", "30"),
        ("STRATEGY_COOLDOWN_SECONDS", "60"),
        ("EMERGENCY_LIQUIDATION_ENABLED", "true"),
        ("ENABLE_PRE_TRADE_RISK", "false"),
        ("ENABLE_CIRCUIT_BREAKERS", "no"),
        ("ENABLE_CHAOS_STRATEGIES", "true"),
        ("ENABLE_PRE_TRADE_RISK", "perhaps"),
        ("MAX_CONCURRENT_STRATEGIES", "0"),
    ] {
        let wrong = settings(&[(name, value)]).unwrap_err();
        assert_eq!((wrong.len(), &*wrong[0].name), (1, name), "{wrong:?}");
    }
    let same = [
        ("ENABLE_PRE_TRADE_RISK", "true"),
        ("ENABLE_CIRCUIT_BREAKERS", "1"),
        ("ENABLE_CHAOS_STRATEGIES", "false"),
        ("MAX_CONCURRENT_STRATEGIES", "3"),
        ("STRATEGY_ISOLATION", "sandbox"),
        ("ORDER_QUEUE_SIZE", "10000"),
    ];
    let it = settings(&same).unwrap();
    assert_eq!(it.strategies_max, 3);
    assert_eq!(it.without_effect, ["ORDER_QUEUE_SIZE", "STRATEGY_ISOLATION"]);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let wrong = settings(&[
        ("HTTP_PORT", "many"),
        ("DEBUG", "perhaps"),
        ("REQUEST_TIMEOUT", "-3"),
        ("MAX_CONCURRENT_REQUESTS", "0"),
        ("SERVICE_INSTANCE_NAME", "a_b"),
        ("LOG_FORMAT", "xml"),
        ("TLS_KEY_FILE", "key.pem"),
    ])
    .unwrap_err();
    let mut names: Vec<_> = wrong.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "DEBUG",
            "HTTP_PORT",
            "LOG_FORMAT",
            "MAX_CONCURRENT_REQUESTS",
            "REQUEST_TIMEOUT",
            "SERVICE_INSTANCE_NAME",
            "TLS_KEY_FILE",
        ]
    );
    for it in wrong {
        assert!(!it.given.is_empty() && !it.fix.is_empty() && !it.to_string().contains('\n'));
    }
}

#[test]
fn other_machines_are_served_with_tls_or_because_somebody_said_so() {
    assert_eq!(settings(&[("HOST", "0.0.0.0")]).unwrap_err()[0].name, "HOST");
    assert!(settings(&[("HOST", "0.0.0.0"), ("ALLOW_PLAINTEXT", "true")]).is_ok());
    let tls = [("HOST", "::"), ("TLS_CERT_FILE", "a.pem"), ("TLS_KEY_FILE", "b.pem")];
    assert!(settings(&tls).is_ok());
    assert!(settings(&[("HOST", "127.0.0.2")]).unwrap().is_loopback());
}

#[test]
fn traces_leave_for_a_collector_that_was_named_and_without_tls_unless_that_is_refused() {
    assert_eq!(settings(&[]).unwrap().otel_endpoint, None);
    for name in ["OTEL_EXPORTER_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        let read =
            |url: &str, insecure: &str| settings(&[(name, url), ("OTEL_INSECURE", insecure)]);
        let plain = "http://localhost:4317";
        assert_eq!(read(plain, "true").unwrap().otel_endpoint.as_deref(), Some(plain));
        assert!(read("https://collector.example:4317", "false").is_ok());
        for (url, insecure) in [(plain, "false"), ("localhost:4317", "true"), ("ftp://x", "true")] {
            let wrong = read(url, insecure).unwrap_err();
            assert_eq!((wrong.len(), &*wrong[0].name), (1, "OTEL_EXPORTER_ENDPOINT"), "{url}");
        }
    }
    let wrong = settings(&[("OTEL_EXPORTER_ENDPOINT", "ftp://u:canary@h")]).unwrap_err();
    assert!(!format!("{wrong:?}").contains("canary"));
}

#[test]
fn a_change_needs_a_token_but_on_a_developers_own_machine() {
    assert!(!settings(&[]).unwrap().needs_token());
    assert!(settings(&[("ENVIRONMENT", "production")]).unwrap().needs_token());
    let open = settings(&[("HOST", "10.0.0.1"), ("ALLOW_PLAINTEXT", "1")]).unwrap();
    assert!(open.needs_token());
}

#[test]
fn a_file_comes_before_the_environment_and_its_lines_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let env = |text: &str| std::fs::write(folder.path().join(".env"), text).unwrap();
    env("HTTP_PORT=9000\nPOSTGRES_URL=postgresql://u:canary@h/d\n# a remark\nDEBUG=true\n");
    let over = [("HTTP_PORT".to_owned(), "9001".to_owned())];
    let settings = Settings::read(folder.path(), over.clone()).unwrap();
    assert_eq!((settings.http_port, settings.debug), (9001, true));
    assert_eq!(settings.postgres.as_ref().unwrap().expose(), "postgresql://u:canary@h/d");
    assert!(!format!("{settings:?}").contains("canary"));
    env("HTTP_PORT=9000\nthis is canary no line\n\n# fine\nDEBUG=true\nnor is canary this\n");
    let wrong = Settings::read(folder.path(), over).unwrap_err();
    assert_eq!((wrong.len(), wrong[0].name.as_str()), (2, ".env"));
    assert!(wrong[0].given.ends_with(".env:2") && wrong[1].given.ends_with(".env:6"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("canary"));
}

#[test]
fn a_secret_may_be_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    std::fs::write(&path, "redis://u:p@h\n").unwrap();
    let found = settings(&[("REDIS_URL_FILE", path.to_str().unwrap())]).unwrap();
    assert_eq!(found.redis.unwrap().expose(), "redis://u:p@h");
    let wrong = settings(&[("REDIS_URL_FILE", "/no/such/file")]).unwrap_err();
    assert_eq!(wrong[0].name, "REDIS_URL_FILE");
}
