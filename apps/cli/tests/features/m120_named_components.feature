Feature: M120, named components
  One program, many instances, told apart everywhere.

  Scenario: Singleton and named instances run at once
    Given a clean folder
    When instances "", "trading-system-engine-LH" and "trading-system-engine-Alpha" are started
    Then all answer healthy under their names
    And their schemas are "trading", "trading_system_engine_lh" and "trading_system_engine_alpha"
    And their namespaces are "trading", "trading_system:LH" and "trading_system:Alpha"
