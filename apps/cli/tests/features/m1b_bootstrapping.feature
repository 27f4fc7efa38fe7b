Feature: M1b, service bootstrapping
  A process that operators can start, ask and stop.

  Scenario: Health answers, and SIGTERM ends it after draining
    Given a clean folder
    When the service is started
    Then health answers healthy over REST
    And health answers SERVING over gRPC
    When SIGTERM arrives
    Then it exits with 0
    And no order is open
