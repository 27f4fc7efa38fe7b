//! Bytes that are no call: each is answered with what is wrong, and nobody is asked for anything.

use crate::common::Bench;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;
use tse_server::grpc::router;

const STOP: &str = "/tse.v1.TradingService/StopStrategy";
const PORTFOLIO: &str = "/tse.v1.TradingService/GetPortfolio";

fn framed(message: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    body
}

async fn ask(bench: &Bench, request: Request<Body>) -> (StatusCode, HeaderMap) {
    let response = router(bench.app.clone()).oneshot(request).await.unwrap();
    (response.status(), response.headers().clone())
}

fn request(path: &str, kind: &str, body: Vec<u8>) -> Request<Body> {
    let request = Request::post(path).header("content-type", kind);
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_a_code_and_recorded_where_it_was_to_change_something() {
    let (bench, demands) = Bench::idle(&[]);
    let long = framed(&[0x0a; 70 << 10]);
    // A text of 70,000 letters is a message, and too large a one.
    let mut letters = vec![0x0a, 0xf0, 0xa2, 0x04];
    letters.extend([b'a'; 70_000]);
    let mut compressed = framed(&[]);
    compressed[0] = 1;
    let cases: [(&str, Vec<u8>, &str, &str); 10] = [
        (STOP, Vec::new(), "3", "TSE-N101"),
        (STOP, vec![0, 0], "3", "TSE-N101"),
        (STOP, framed(&[0xff, 0xff]), "3", "TSE-N101"),
        (STOP, vec![0, 0, 0, 0, 9, 1], "3", "TSE-N101"),
        (STOP, [framed(&[]), framed(&[])].concat(), "3", "TSE-N101"),
        (STOP, vec![0, 0xff, 0xff, 0xff, 0xff], "3", "TSE-N101"),
        (STOP, framed(&[0x0a, 0x02, 0xc3, 0x28]), "3", "TSE-N101"),
        (STOP, compressed, "3", "TSE-N101"),
        (STOP, long, "8", "TSE-N111"),
        (STOP, framed(&letters), "8", "TSE-N111"),
    ];
    let mut recorded = 0;
    for (path, body, status, code) in cases {
        let (http, headers) = ask(&bench, request(path, "application/grpc", body)).await;
        assert_eq!(http, StatusCode::OK);
        assert_eq!(
            (&headers["grpc-status"], &headers["code"]),
            (&status.parse().unwrap(), &code.parse().unwrap())
        );
        recorded += 1;
    }
    assert_eq!(bench.audit().len(), recorded);
    // What only shows something may be asked at more length, and is recorded nowhere.
    let mut large = vec![0x0a];
    large.extend(vec![0; 5 << 20]);
    let (_, headers) = ask(&bench, request(PORTFOLIO, "application/grpc", framed(&large))).await;
    assert_eq!(
        (&headers["grpc-status"], &headers["code"]),
        (&"8".parse().unwrap(), &"TSE-N111".parse().unwrap())
    );
    assert_eq!(bench.audit().len(), recorded);
    assert!(demands.try_recv().is_err(), "nobody was asked");
}

#[tokio::test]
async fn what_is_not_served_or_no_grpc_is_told_so() {
    let (bench, _demands) = Bench::idle(&[]);
    for path in [
        "/tse.v1.TradingService/Nothing",
        "/tse.v1.TradingService/TriggerChaosEvent",
        "/tse.v2.TradingService/StopStrategy",
        "/tse.v1.TradingService/StopStrategy/more",
        "/tse.v1.TradingService",
        "/",
    ] {
        let (http, headers) =
            ask(&bench, request(path, "application/grpc+proto", framed(&[]))).await;
        assert_eq!(http, StatusCode::OK, "{path}");
        assert_eq!(headers["grpc-status"], "12", "{path}");
        assert_eq!(headers["code"], "TSE-N124", "{path}");
    }
    for kind in ["application/json", "application/grpc-web", "text/plain", "application/grpcish"] {
        let (http, headers) = ask(&bench, request(STOP, kind, framed(&[]))).await;
        assert_eq!(http, StatusCode::BAD_REQUEST, "{kind}");
        assert_eq!(headers["content-type"], "application/problem+json", "{kind}");
    }
}
