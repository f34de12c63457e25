use super::here;

#[test]
fn a_server_that_listens_everywhere_is_asked_here() {
    for (listen, asked) in [
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        ("[::]:8080", "[::1]:8080"),
        ("127.0.0.2:80", "127.0.0.2:80"),
        ("[fe80::1]:80", "[fe80::1]:80"),
    ] {
        assert_eq!(here(listen.parse().unwrap()), asked.parse().unwrap(), "{listen}");
    }
}
