//! One message as it travels, and every contract that is served, to read it by.

use crate::codes;
use crate::http::Problem;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use std::sync::LazyLock;

/// Every contract that is served.
static CONTRACTS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut pool = DescriptorPool::new();
    for described in [
        tse_wire::DESCRIPTION,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ] {
        let added = pool.decode_file_descriptor_set(described);
        added.expect("what describes the contracts was made of them");
    }
    pool
});

/// How many bytes stand before a message: whether it is compressed, and how long it is.
const HEAD: usize = 5;

/// The method that has this full name, such as `tse.v1.TradingService/StopStrategy`.
pub(super) fn method(name: &str) -> Option<MethodDescriptor> {
    let (service, method) = name.split_once('/')?;
    CONTRACTS.get_service_by_name(service)?.methods().find(|it| it.name() == method)
}

/// The one message of a body.
///
/// # Errors
/// Less than one, more, one that is compressed, or one that is not what the method takes.
pub(super) fn read(method: &MethodDescriptor, body: &[u8]) -> Result<DynamicMessage, Problem> {
    let wrong = |what: String| Problem::new(codes::BAD_REQUEST, what);
    let Some((head, message)) = body.split_first_chunk::<HEAD>() else {
        return Err(wrong("there is no message".to_owned()));
    };
    let [compressed, a, b, c, d] = *head;
    if compressed != 0 {
        return Err(wrong("a message that is compressed is not taken".to_owned()));
    }
    let long = u32::from_be_bytes([a, b, c, d]);
    if usize::try_from(long) != Ok(message.len()) {
        return Err(wrong("the body is not one whole message".to_owned()));
    }
    let read = DynamicMessage::decode(method.input(), message);
    read.map_err(|error| wrong(format!("no {}: {error}", method.input().full_name())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut body = vec![0];
        body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend(message);
        body
    }

    #[test]
    fn one_whole_message_is_read_and_nothing_else() {
        let method = method("tse.v1.TradingService/StopStrategy").unwrap();
        let stop = tse_wire::v1::StopStrategyRequest {
            strategy_id: "maker".to_owned(),
            mode: tse_wire::v1::StopMode::Flatten.into(),
            reason: "a drill".to_owned(),
            by: None,
        };
        let good = framed(&stop.encode_to_vec());
        let json = serde_json::to_value(read(&method, &good).unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "strategyId": "maker", "mode": "STOP_MODE_FLATTEN", "reason": "a drill"
            })
        );
        assert!(read(&method, &framed(&[])).is_ok(), "everything may be left out");
        let two = [good.clone(), good.clone()].concat();
        let mut compressed = good.clone();
        compressed[0] = 1;
        for (body, says) in [
            (&[][..], "no message"),
            (&good[..4], "no message"),
            (&good[..good.len() - 1], "not one whole"),
            (&two, "not one whole"),
            (&compressed, "compressed"),
            (&framed(&[0xff; 3]), "no tse.v1.StopStrategyRequest"),
            (&framed(&[0x0a, 0x02, 0xff, 0xfe]), "no tse.v1.StopStrategyRequest"),
        ] {
            let said = read(&method, body).unwrap_err();
            assert!(said.detail().contains(says), "{}", said.detail());
        }
        assert!(super::method("tse.v1.TradingService/Nothing").is_none());
        assert!(super::method("nothing").is_none());
    }
}
