use crate::support::server::Setup;

#[tokio::test]
async fn a_port_in_use_is_named() {
    let server = Setup::bench().start();
    let port = server.address.port().to_string();
    let (code, said) = Setup::bench().fail(&["--port", &port]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&server.address.to_string()), "{said}");
}

#[test]
fn a_missing_model_is_named() {
    let (code, said) = Setup::bench().with("[vad]\nmodel = \"no/such/model.onnx\"").fail(&["--port", "0"]);
    assert!(code.is_some_and(|code| code != 0));
    assert!(said.contains("no/such/model.onnx"), "{said}");
}

#[test]
fn a_missing_runtime_library_is_named() {
    let (code, said) =
        Setup::bench().with("[vad]\nlibrary = \"no/such/libonnxruntime.so\"").fail(&["--port", "0"]);
    assert!(code.is_some_and(|code| code != 0));
    assert!(said.contains("no/such/libonnxruntime.so"), "{said}");
}

#[test]
fn a_server_that_others_can_reach_needs_a_token() {
    let (code, said) = Setup::bench().with("[server]\nlisten = \"0.0.0.0\"").fail(&["--port", "0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("RINGWAY_ADMIN_TOKEN"), "{said}");
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let (code, said) = Setup::bench().fail(&["--port", "0", "--tls", "no/cert.pem,no/key.pem"]);
    assert!(code.is_some_and(|code| code != 0));
    assert!(said.contains("no/cert.pem"), "{said}");
}
