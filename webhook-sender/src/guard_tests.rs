//! Tables of addresses and spellings that the guard must allow or refuse.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures_util::future::{BoxFuture, pending, ready};

use super::guard::TargetError::{Address, InvalidUrl, Port, ResolveTimeout, Scheme, Unresolved, Userinfo};
use super::*;
use crate::resolver::Resolve;
use std::net::IpAddr;

/// A resolver with fixed answers, and one name that never resolves. Counts the queries.
#[derive(Default)]
pub(super) struct Names(pub(super) Mutex<HashMap<&'static str, Vec<Vec<&'static str>>>>, pub(super) AtomicUsize);

impl Names {
    fn of(names: &[(&'static str, &[&'static str])]) -> Arc<Self> {
        let names = names.iter().map(|(name, addresses)| (*name, vec![addresses.to_vec()]));
        Arc::new(Self(Mutex::new(names.collect()), AtomicUsize::default()))
    }
}

impl Resolve for Names {
    /// The next answer for a name; the last one repeats.
    fn resolve(&self, name: Arc<str>) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.1.fetch_add(1, Relaxed);
        if &*name == "slow.example" {
            return Box::pin(pending());
        }
        let mut names = self.0.lock().unwrap();
        let answer =
            names.get_mut(&*name).map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        let read = |answer: Vec<&str>| answer.into_iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(ready(answer.map(read).ok_or_else(|| io::Error::other("no such name"))))
    }
}

pub(super) fn usual_ports() -> AllowedPorts {
    AllowedPorts::from_ranges(vec![80..=80, 443..=443, 1024..=65535])
}

fn names() -> Arc<Names> {
    Names::of(&[
        ("public.example", &["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
        ("inside.example", &["10.1.2.3"]),
        ("mixed.example", &["93.184.215.14", "127.0.0.1"]),
        ("mixed6.example", &["93.184.215.14", "fd00::1"]),
        ("metadata.google.internal", &["169.254.169.254"]),
        ("mapped.example", &["::ffff:93.184.215.14"]),
        ("nothing.example", &[]),
        ("xn--bcher-kva.example", &["93.184.215.14"]),
        ("intranet", &["192.168.3.4"]),
    ])
}

async fn pin(guard: &SsrfGuard, url: &str) -> Result<String, TargetError> {
    guard.pin(url).await.map(|pinned| pinned.addresses[0].to_string())
}

const PUBLIC: [(&str, &str); 32] = [
    ("http://93.184.215.14/", "93.184.215.14:80"),
    ("https://93.184.215.14/", "93.184.215.14:443"),
    ("https://93.184.215.14:8443/hook?x=1#y", "93.184.215.14:8443"),
    ("HTTPS://93.184.215.14/", "93.184.215.14:443"),
    ("http://public.example/", "93.184.215.14:80"),
    ("http://PUBLIC.example/", "93.184.215.14:80"),
    ("http://public.example./", "93.184.215.14:80"),
    ("http://public%2Eexample/", "93.184.215.14:80"),
    ("http://public。example/", "93.184.215.14:80"),
    ("http://bücher.example/", "93.184.215.14:80"),
    ("http://xn--bcher-kva.example/", "93.184.215.14:80"),
    ("http://1572394766/", "93.184.215.14:80"),
    ("http://0x5db8d70e/", "93.184.215.14:80"),
    ("http://0135.0270.0327.016/", "93.184.215.14:80"),
    ("http://93.184.55054/", "93.184.215.14:80"),
    ("http://９３.184.215.14/", "93.184.215.14:80"),
    ("http://93.184.215.14./", "93.184.215.14:80"),
    ("http://1.1.1.1/", "1.1.1.1:80"),
    ("http://8.8.8.8:1024/", "8.8.8.8:1024"),
    ("http://9.255.255.255/", "9.255.255.255:80"),
    ("http://11.0.0.0/", "11.0.0.0:80"),
    ("http://100.63.255.255/", "100.63.255.255:80"),
    ("http://100.128.0.0/", "100.128.0.0:80"),
    ("http://172.15.255.255/", "172.15.255.255:80"),
    ("http://172.32.0.0/", "172.32.0.0:80"),
    ("http://192.167.255.255/", "192.167.255.255:80"),
    ("http://198.17.255.255/", "198.17.255.255:80"),
    ("http://223.255.255.255/", "223.255.255.255:80"),
    ("http://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]:80"),
    ("https://[2a00:1450:4001:81b::200e]:65535/", "[2a00:1450:4001:81b::200e]:65535"),
    ("http://[2001:200::1]/", "[2001:200::1]:80"),
    ("http://[2001:4860:4860:0:0:0:0:8888]/", "[2001:4860:4860::8888]:80"),
];

const REFUSED: [(&str, TargetError); 132] = [
    // Loopback, however it is written.
    ("http://127.0.0.1/", Address),
    ("http://127.0.0.1:8080/", Address),
    ("http://127.1/", Address),
    ("http://127.0.1/", Address),
    ("http://127.255.255.254/", Address),
    ("http://2130706433/", Address),
    ("http://0x7f000001/", Address),
    ("http://0x7f.1/", Address),
    ("http://0x7F.0x0.0x0.0x1/", Address),
    ("http://0177.0.0.1/", Address),
    ("http://0177.0.0.01/", Address),
    ("http://017700000001/", Address),
    ("http://127.0.0.1./", Address),
    ("http://%31%32%37.0.0.1/", Address),
    ("http://127%2e0.0.1/", Address),
    ("http://１２７.0.0.1/", Address),
    ("http://①②⑦.0.0.1/", Address),
    ("http://127。0。0。1/", Address),
    ("http://127．0．0．1/", Address),
    ("http://localhost/", Address),
    ("http://LOCALHOST/", Address),
    ("http://localhost./", Address),
    ("http://hub.localhost/", Address),
    ("http://a.b.localhost./", Address),
    ("http://ｌocalhost/", Address),
    ("http://loc%61lhost/", Address),
    ("http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", Address),
    ("http://[::1]/", Address),
    ("http://[0:0:0:0:0:0:0:1]/", Address),
    ("http://[0000:0000:0000:0000:0000:0000:0000:0001]/", Address),
    ("http://[::]/", Address),
    // This network.
    ("http://0/", Address),
    ("http://0.0.0.0/", Address),
    ("http://0.1.2.3/", Address),
    ("http://0x0/", Address),
    ("http://00000000/", Address),
    // Private.
    ("http://10.0.0.0/", Address),
    ("http://10.1.2.3/", Address),
    ("http://10.255.255.255/", Address),
    ("http://10.1/", Address),
    ("http://012.1.2.3/", Address),
    ("http://167772161/", Address),
    ("http://172.16.0.0/", Address),
    ("http://172.31.255.255/", Address),
    ("http://192.168.0.1/", Address),
    ("http://192.168.255.255/", Address),
    ("http://192.168.257/", Address),
    ("http://0xc0a80001/", Address),
    ("http://3232235521/", Address),
    // Link-local, and the metadata of clouds.
    ("http://169.254.0.1/", Address),
    ("http://169.254.169.254/latest/meta-data/", Address),
    ("http://169.254.170.2/", Address),
    ("http://169.254.0.23/", Address),
    ("http://2852039166/", Address),
    ("http://0xa9fea9fe/", Address),
    ("http://0251.0376.0251.0376/", Address),
    ("http://169.254.43518/", Address),
    ("http://metadata.google.internal/", Address),
    ("http://METADATA.google.internal./computeMetadata/v1/", Address),
    ("http://100.100.100.200/", Address),
    ("http://168.63.129.16/", Address),
    ("http://192.0.0.192/", Address),
    ("http://192.80.8.124/", Address),
    ("http://[fd00:ec2::254]/", Address),
    ("http://[fd20:ce::254]/", Address),
    // Carrier-grade NAT and other special purposes.
    ("http://100.64.0.0/", Address),
    ("http://100.127.255.255/", Address),
    ("http://192.0.0.8/", Address),
    ("http://192.0.0.170/", Address),
    ("http://192.0.2.1/", Address),
    ("http://192.88.99.1/", Address),
    ("http://192.31.196.1/", Address),
    ("http://192.52.193.1/", Address),
    ("http://192.175.48.1/", Address),
    ("http://198.18.0.1/", Address),
    ("http://198.19.255.255/", Address),
    ("http://198.51.100.1/", Address),
    ("http://203.0.113.1/", Address),
    ("http://224.0.0.1/", Address),
    ("http://233.252.0.1/", Address),
    ("http://239.255.255.250/", Address),
    ("http://240.0.0.1/", Address),
    ("http://255.255.255.254/", Address),
    ("http://255.255.255.255/", Address),
    ("http://4294967295/", Address),
    // IPv4 within IPv6.
    ("http://[::ffff:127.0.0.1]/", Address),
    ("http://[::ffff:7f00:1]/", Address),
    ("http://[::ffff:10.0.0.1]/", Address),
    ("http://[::ffff:93.184.215.14]/", Address),
    ("http://[0:0:0:0:0:ffff:a9fe:a9fe]/", Address),
    ("http://[::127.0.0.1]/", Address),
    ("http://[::93.184.215.14]/", Address),
    ("http://[::ffff:0:127.0.0.1]/", Address),
    ("http://[64:ff9b::127.0.0.1]/", Address),
    ("http://[64:ff9b::5db8:d70e]/", Address),
    ("http://[64:ff9b:1::a00:1]/", Address),
    ("http://[2002:7f00:1::]/", Address),
    ("http://[2002:a9fe:a9fe::1]/", Address),
    ("http://[2001::1]/", Address),
    ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", Address),
    // Other special purposes of IPv6.
    ("http://[2001:2::1]/", Address),
    ("http://[2001:10::1]/", Address),
    ("http://[2001:20::1]/", Address),
    ("http://[2001:db8::1]/", Address),
    ("http://[3fff::1]/", Address),
    ("http://[3ffe::1]/", Address),
    ("http://[100::1]/", Address),
    ("http://[5f00::1]/", Address),
    ("http://[fc00::1]/", Address),
    ("http://[fd12:3456:789a::1]/", Address),
    ("http://[fe80::1]/", Address),
    ("http://[fec0::1]/", Address),
    ("http://[ff02::1]/", Address),
    ("http://[ff0e::1]/", Address),
    // Names.
    ("http://inside.example/", Address),
    ("http://intranet/", Address),
    ("http://mixed.example/", Address),
    ("http://mixed6.example/", Address),
    ("http://mapped.example/", Address),
    ("http://nothing.example/", Unresolved),
    ("http://unknown.example/", Unresolved),
    // User, scheme and port.
    ("http://ann@public.example/", Userinfo),
    ("http://ann:secret@public.example/", Userinfo),
    ("http://public.example@127.0.0.1/", Userinfo),
    ("http://@public.example/", Userinfo),
    ("ftp://public.example/", Scheme),
    ("file:///etc/passwd", Scheme),
    ("gopher://public.example:6379/", Scheme),
    ("http://public.example:22/", Port),
    ("http://public.example:25/", Port),
    ("http://public.example:6379/", Port),
    ("http://public.example:0/", Port),
];

const UNREADABLE: [&str; 26] = [
    "",
    "public.example",
    "//public.example/",
    "http:public.example",
    "http:/public.example/",
    "http:///public.example/",
    "http:\\\\public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://pub lic.example/",
    " http://public.example/",
    "http://public.example/\n",
    "http://public.example/a\tb",
    "http://public.example/\r\nHost: inside",
    "http://public\0.example/",
    "http://public.example../",
    "http://.public.example/",
    "http://public..example/",
    "http://./",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://0x7f.0.0.0.1/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:127.1]/",
    "http://public.example:99999/",
    "http://public%00.example/",
];

#[actix_rt::test]
async fn the_table_of_addresses_and_spellings() {
    let guard = SsrfGuard::new(&[], usual_ports(), false, names());
    for (url, address) in PUBLIC {
        assert_eq!(pin(&guard, url).await.as_deref(), Ok(address), "{url}");
    }
    for (url, why) in REFUSED {
        assert_eq!(pin(&guard, url).await, Err(why), "{url}");
    }
    for url in UNREADABLE {
        let refused = pin(&guard, url).await.expect_err(url);
        assert!(matches!(refused, InvalidUrl | Scheme), "{url:?}: {refused:?}");
    }
    assert!(PUBLIC.len() + REFUSED.len() + UNREADABLE.len() >= 120);
}

#[actix_rt::test]
async fn a_hub_on_loopback_posts_to_loopback_and_to_no_other_private_address() {
    let guard = SsrfGuard::new(&[], usual_ports(), true, names());
    for url in ["http://127.0.0.1:8080/", "http://localhost:8080/", "http://[::1]:8080/", "http://127.1:8080/"] {
        assert!(pin(&guard, url).await.is_ok(), "{url}");
    }
    for url in ["http://10.0.0.1/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/"] {
        assert_eq!(pin(&guard, url).await, Err(Address), "{url}");
    }
}

#[actix_rt::test]
async fn the_operator_can_allow_networks_and_ports() {
    let allow = ["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let guard =
        SsrfGuard::new(&allow, AllowedPorts::from_ranges(vec![443..=443, 25..=25, 6000..=7000]), false, names());
    assert_eq!(pin(&guard, "https://inside.example/").await.as_deref(), Ok("10.1.2.3:443"));
    assert_eq!(pin(&guard, "https://[fd00::1]/").await.as_deref(), Ok("[fd00::1]:443"));
    assert_eq!(pin(&guard, "https://10.2.0.1/").await, Err(Address));
    assert_eq!(pin(&guard, "https://mixed.example/").await, Err(Address));
    assert!(pin(&guard, "http://public.example:25/").await.is_ok(), "a single port is allowed explicitly");
    assert_eq!(pin(&guard, "http://public.example/").await, Err(Port));
    assert_eq!(pin(&guard, "http://public.example:6379/").await, Err(Port), "a range excludes it");
    assert!(pin(&guard, "http://public.example:6380/").await.is_ok());
}

#[actix_rt::test]
async fn resolving_times_out() {
    tokio::time::pause();
    let guard = SsrfGuard::new(&[], usual_ports(), false, names());
    assert_eq!(pin(&guard, "http://slow.example/").await, Err(ResolveTimeout));
}

#[actix_rt::test]
async fn the_request_uses_the_normal_form_that_was_checked() {
    let guard = SsrfGuard::new(&[], usual_ports(), false, names());
    for (url, spelled) in [
        ("http://PUBLIC.example./a?b#c", "http://public.example/a?b"),
        ("http://1572394766/", "http://93.184.215.14/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://public。example:80/", "http://public.example/"),
    ] {
        assert_eq!(guard.pin(url).await.unwrap().url.as_str(), spelled, "{url}");
    }
}

#[actix_rt::test]
async fn localhost_is_not_resolved() {
    let names = names();
    let guard = SsrfGuard::new(&[], usual_ports(), true, names.clone());
    guard.pin("http://localhost:9999/").await.unwrap();
    assert_eq!(names.1.load(Relaxed), 0);
}
