use super::*;

impl Fields for &[(&str, &str)] {
    fn field(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

const HASH: ContentHash = ContentHash::from_bytes([0xab; 32]);

fn raw_metadata() -> String {
    format!("filename ,sha256 {},note YQ==", BASE64.encode(HASH.as_bytes()))
}

fn created(headers: &[(&str, &str)]) -> Result<Creation, Refusal> {
    read_creation(&headers, 1_000)
}

#[test]
fn a_creation_names_hash_and_length() {
    let plain = Creation { hash: HASH, bytes: 1_000, chunk: None };
    let metadata = raw_metadata();
    assert_eq!(created(&[("upload-length", "1000"), ("upload-metadata", &metadata)]), Ok(plain.clone()));
    let digits = format!("sha256 {}", BASE64.encode(HASH.to_string().as_bytes()));
    assert_eq!(created(&[("upload-length", "1000"), ("upload-metadata", &digits)]), Ok(plain.clone()));
    let with_bytes = [
        ("upload-length", "1000"),
        ("upload-metadata", &*metadata),
        ("content-type", "Application/Offset+Octet-Stream; x=y"),
        ("content-length", "10"),
    ];
    let chunk = Some(Chunk { offset: 0, len: Some(10), checksum: None });
    assert_eq!(created(&with_bytes), Ok(Creation { chunk, ..plain }));
}

#[test]
fn hostile_lengths_are_refused() {
    let metadata = raw_metadata();
    let bad = Err(Refusal::BadHeader("Upload-Length is not a length"));
    for length in ["", "0", "-1", "+1", " 1", "1 ", "1e3", "0x10", "1.0", "٣", "99999999999999999999"] {
        assert_eq!(created(&[("upload-length", length), ("upload-metadata", &metadata)]), bad, "{length}");
    }
    for length in ["1001", "9999999999999999999"] {
        let refused = created(&[("upload-length", length), ("upload-metadata", &metadata)]);
        assert_eq!(refused, Err(Refusal::TooLarge), "{length}");
    }
    assert_eq!(created(&[("upload-metadata", &metadata)]), bad);
    let deferred = [("upload-length", "1"), ("upload-defer-length", "1"), ("upload-metadata", &*metadata)];
    assert!(matches!(created(&deferred), Err(Refusal::BadHeader(_))));
}

#[test]
fn hostile_metadata_is_refused() {
    let good = BASE64.encode(HASH.as_bytes());
    let long = format!("{},sha256 {good}", "k YQ==,".repeat(1_000));
    let bad = [
        String::new(),
        ",".repeat(4_000),
        "sha256".to_owned(),
        "sha256 ".to_owned(),
        format!("SHA256 {good}"),
        format!("xsha256 {good}"),
        format!("sha256 {}", &good[..43]),
        format!("sha256 {}", BASE64.encode(&[1; 31])),
        format!("sha256 {}", BASE64.encode("../../../../../../etc/passwd".as_bytes())),
        format!("sha256 {good},sha256 {good}"),
        long,
    ];
    for metadata in bad {
        let refused = created(&[("upload-length", "1"), ("upload-metadata", &metadata)]);
        assert!(matches!(refused, Err(Refusal::BadHeader(_))), "{metadata:.80}");
    }
}

#[test]
fn chunks_say_where_they_belong_and_what_they_hash_to() {
    let typed = ("content-type", CHUNK_TYPE);
    let read = |headers: &[(&str, &str)]| read_patch(&headers);
    let sha1 = format!("sha1 {}", BASE64.encode(&[7; 20]));
    let chunk = read(&[typed, ("upload-offset", "7"), ("upload-checksum", &sha1), ("content-length", "3")]);
    let checksum = Some(Checksum { algorithm: Algorithm::Sha1, digest: vec![7; 20] });
    assert_eq!(chunk, Ok(Chunk { offset: 7, len: Some(3), checksum }));
    assert_eq!(read(&[("upload-offset", "0")]), Err(Refusal::ContentType));
    assert_eq!(read(&[("content-type", "text/plain"), ("upload-offset", "0")]), Err(Refusal::ContentType));
    let short = format!("sha256 {}", BASE64.encode(&[7; 20]));
    for (name, value) in [
        ("upload-offset", "-0"),
        ("upload-offset", "00000000000000000000"),
        ("upload-checksum", "sha1"),
        ("upload-checksum", "md5 1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("upload-checksum", "sha256 !"),
        ("upload-checksum", &*short),
        ("content-length", "-1"),
    ] {
        let refused = read(&[(name, value), typed, ("upload-offset", "0")]);
        assert!(matches!(refused, Err(Refusal::BadHeader(_))), "{name}: {value}");
    }
}

#[test]
fn algorithms_hash_as_they_are_known_to() {
    for (algorithm, expected) in [
        (Algorithm::Sha1, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        (Algorithm::Sha256, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ] {
        let mut hasher = algorithm.hasher();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(BASE64.encode(&hasher.finish()), expected);
    }
}

#[test]
fn dates_are_written_as_http_writes_them() {
    let at = Timestamp::from_millis(1_773_451_613_589);
    assert_eq!(http_date(at).as_deref(), Some("Sat, 14 Mar 2026 01:26:53 GMT"));
    assert_eq!(http_date(Timestamp::from_millis(i64::MAX)), None);
}
