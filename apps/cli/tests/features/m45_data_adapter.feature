Feature: M45, trading data adapter
  Rows to query, in databases that may come and go.

  Scenario: With both stores up, an order is a row in PostgreSQL
    Given PostgreSQL and Redis
    And the schema is migrated
    When the service is started
    And it has traded
    Then an order of it is a row in PostgreSQL
    And the status of stores is ready

  Scenario: With both stores down, the same questions are answered from memory and the status is degraded
    Given PostgreSQL and Redis that are away
    When the service is started
    And it has traded
    Then rows are answered
    And the status of stores is degraded
