Feature: M120b, Prometheus metrics
  Rate, errors and duration of everything that is asked.

  Scenario: A call is counted with its labels
    Given a clean folder
    When the service is started
    And "/api/v1/strategies/active" is called
    And "/api/v1/nothing" is called
    Then metrics show "http_requests_total" of route "/api/v1/strategies/active" with code "200"
    And metrics show "http_request_errors_total" of route "unmatched" with code "404"
    And metrics show "http_request_duration_seconds_count" of route "/api/v1/strategies/active" with code "200"
    And every series carries service, instance and version
