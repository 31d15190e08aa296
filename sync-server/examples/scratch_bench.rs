use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;
use gridwalk_model::policy::Role;
use gridwalk_model::*;
use gridwalk_replica::wire::*;
use gridwalk_replica::*;
use gridwalk_server::access::staff::*;
use gridwalk_server::clock::*;
use gridwalk_server::config::*;
use gridwalk_server::storage::access::NewDevice;
use gridwalk_server::storage::sqlite::SqliteOptions;

fn post(s: &mut TcpStream, r: &mut BufReader<TcpStream>, token: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST /v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n", body.len());
    s.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut len = 0; let mut line = String::new(); r.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    loop { line.clear(); r.read_line(&mut line).unwrap(); let l = line.to_ascii_lowercase();
        if let Some(v) = l.strip_prefix("content-length: ") { len = v.trim().parse().unwrap(); }
        if line == "\r\n" { break; } }
    let mut out = vec![0; len]; r.read_exact(&mut out).unwrap(); out
}
fn connect(a: &str) -> (TcpStream, BufReader<TcpStream>) { let s = TcpStream::connect(a).unwrap(); s.set_nodelay(true).unwrap(); let r = BufReader::new(s.try_clone().unwrap()); (s, r) }
fn rss() -> u64 { let t = std::fs::read_to_string("/proc/self/status").unwrap(); t.lines().find(|l| l.starts_with("VmRSS")).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap() }

fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let conns = 8;
    let dir = std::path::PathBuf::from(std::env::args().nth(2).unwrap_or("/tmp/gw/srv-bench".into()));
    let _ = std::fs::remove_dir_all(&dir);
    let mut config = Config::new(&dir);
    config.limits.device = Rate { burst: 100000, per_second: 100000 };
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(64).enable_all().build().unwrap();
    let state = gridwalk_server::open::state(config, &SqliteOptions::default()).unwrap();
    let store = state.storage.clone();
    let now = SystemClock.now();
    let e = SystemEntropy; let ent: &dyn Entropy = &e;
    let mut phones = vec![];
    for i in 0..conns {
        let area = RecordId::from_parts(now, ent.array().unwrap());
        let (person, device) = store.update(|tx| {
            let p = add_person(tx, "bench", &NewWorker { name: "x", roles: &[Role::Gridworker], unit: None }, now, ent)?;
            grant_area(tx, "bench", p, area, true, now)?;
            let d = DeviceId::from_bytes(ent.array().unwrap());
            let no = tx.person(p)?.unwrap().no;
            tx.insert_device(&NewDevice { id: d, person: no, public_key: &[4; 65], label: "b", enrolled_at: now })?;
            Ok::<_, gridwalk_server::access::AccessError>((p, d))
        }).unwrap();
        let _ = (i, person);
        phones.push((area, device, Actor::new(device, [0; 4]), state.tokens.issue(device, now), person));
    }
    let server = store.view(|tx| tx.server()).unwrap();
    let listener = rt.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    rt.spawn(gridwalk_server::serve::serve(state.clone(), listener, std::future::pending()));
    let req = |area: RecordId, pushes: Vec<Push>, seq: u64| SyncRequest { protocol_min: 1, protocol_max: 1, schema: 1, epoch: Some(server.epoch.into()),
        cursors: vec![Cursor { stream: StreamId::Area { area, class: AccessClass::Base }.to_bytes().into(), generation: 1, seq }], max_bytes: 900_000, pushes, compare: None };
    let mut docs: Vec<Vec<(RecordId, Document)>> = vec![vec![]; conns];
    let mut bodies: Vec<Vec<Vec<u8>>> = vec![vec![]; conns];
    let mut wire = 0;
    for c in 0..conns {
        let (area, _, actor, _, _) = &phones[c];
        let mut pushes = vec![];
        for k in 0..n / conns {
            let id = RecordId::from_parts(now.plus_millis(k as i64), ent.array().unwrap());
            let fields: Fields = [("area".to_string(), Value::from(*area)), ("estate".into(), "山海雅居".into()), ("building".into(), format!("{}号楼", k / 20).into()),
                ("unit".into(), "1单元".into()), ("room".into(), format!("{:04}", k).into()), ("usage".into(), "residential".into()), ("rented".into(), Value::Flag(k % 3 == 0)),
                ("floor".into(), Value::Int((k % 18) as i64)), ("occupancy".into(), "occupied".into()), ("area_m2".into(), Value::Real(88.5)), ("remarks".into(), format!("备注 {k}").into()),
                ("address".into(), format!("崂山区中韩街道{}号", k).into()), (format!("source_keys/{k}"), format!("3702120010010010110{k:04}").into())].into();
            let (d, ch) = Document::create(id, Kind::Dwelling, &fields, *actor, now).unwrap();
            docs[c].push((id, d));
            pushes.push(Push { record: (*id.as_bytes()).into(), kind: "dwelling".into(), hint: Some(0), changes: vec![ch.raw.into()], history: false });
            if pushes.len() == 100 { let b = frame::encode(&req(*area, std::mem::take(&mut pushes), 0)).unwrap(); wire += b.len(); bodies[c].push(b); }
        }
    }
    println!("wire/record {}", wire / n);
    let run = |bodies: Vec<Vec<Vec<u8>>>, what: &str, count: usize| {
        let t = Instant::now();
        let hs: Vec<_> = bodies.into_iter().enumerate().map(|(c, bs)| { let addr = addr.clone(); let token = phones[c].3.clone();
            std::thread::spawn(move || { let (mut s, mut r) = connect(&addr); for b in bs { let out = post(&mut s, &mut r, &token, &b);
                let resp: SyncResponse = frame::decode_within(&out, 4 << 20).unwrap();
                assert!(resp.verdicts.iter().flatten().all(|v| *v == admission::Verdict::Accepted), "{:?}", resp.verdicts); } }) }).collect();
        for h in hs { h.join().unwrap(); }
        let el = t.elapsed().as_secs_f64();
        println!("{what}: {:.0}/s  ({count} in {:.2}s) rss {} KB commits {:?}", count as f64 / el, el, rss(), state.writer.counts());
    };
    // cursors at the end of stream so the pulls do not dominate: use a large cursor via real sync
    run(bodies, "new", n);
    for (per, what) in [(100usize, "edit100"), (10, "edit10")] {
        let mut bodies: Vec<Vec<Vec<u8>>> = vec![vec![]; conns]; let mut wire = 0; let mut cnt = 0;
        for c in 0..conns {
            let (area, _, actor, token, _) = phones[c].clone();
            let (mut s, mut r) = connect(&addr);
            let mut cur = 0; loop { let out = post(&mut s, &mut r, &token, &frame::encode(&req(area, vec![], cur)).unwrap()); let resp: SyncResponse = frame::decode_within(&out, 4 << 20).unwrap(); cur = resp.streams[0].seq; if !resp.more { break; } }
            let mut pushes = vec![];
            for (id, d) in docs[c].iter_mut() {
                let ch = d.edit(&[("remarks".to_string(), Value::from(format!("改 {what}")))].into(), actor, now).unwrap().unwrap();
                cnt += 1;
                pushes.push(Push { record: (*id.as_bytes()).into(), kind: "dwelling".into(), hint: None, changes: vec![ch.raw.into()], history: false });
                if pushes.len() == per { let b = frame::encode(&req(area, std::mem::take(&mut pushes), cur)).unwrap(); wire += b.len(); bodies[c].push(b); }
            }
        }
        println!("wire/edit {}", wire / cnt);
        run(bodies, what, cnt);
    }
    let (area, _, _, token, _) = phones[0].clone();
    let (mut s, mut r) = connect(&addr);
    let mut cur = 0; loop { let out = post(&mut s, &mut r, &token, &frame::encode(&req(area, vec![], cur)).unwrap()); let resp: SyncResponse = frame::decode_within(&out, 4 << 20).unwrap(); cur = resp.streams[0].seq; if !resp.more { break; } }
    let idle = frame::encode(&req(area, vec![], cur)).unwrap();
    let mut times = vec![];
    let mut size = 0;
    for _ in 0..500 { let t = Instant::now(); let out = post(&mut s, &mut r, &token, &idle); size = out.len(); times.push(t.elapsed().as_micros()); }
    times.sort();
    println!("idle p50 {} us p99 {} us, {} -> {} bytes", times[250], times[495], idle.len(), size);
    let _ = Arc::new(0);
    std::process::exit(0);
}
