//! Which hub, which channel, and who is there: the flags and variables that all client commands share.
//!
//! Secrets may come from variables and files, so that no argument list shows them.

use clap::Args;
use std::env;
use std::fs;
use std::path::PathBuf;
use url::Url;

const HERE: &str = "http://127.0.0.1:7424";

/// Where to talk, and as whom.
#[derive(Args)]
pub(crate) struct PlaceArgs {
    /// The hub's address [default: http://127.0.0.1:7424] [variable: ROGERRAT_ORIGIN]
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The channel's id [variable: ROGERRAT_CHANNEL]
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// The channel's token; bands want none. A list of processes shows it: better the variable ROGERRAT_TOKEN, or a file
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the channel's token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The session id from a join. A list of processes shows it: better the variable ROGERRAT_SESSION
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Join by itself under this callsign, and again when the session has ended
    #[arg(long, value_name = "NAME")]
    callsign: Option<String>,
    /// Read with a cursor of this name, so that several readers of one session do not take each other's messages
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
}

/// The same, complete and checked.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) hub: Hub,
    pub(super) channel: String,
    pub(super) token: Option<String>,
    pub(super) session: Option<String>,
    pub(super) callsign: Option<String>,
    pub(super) consumer: Option<String>,
}

/// A hub's address.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    /// What is looked up and connected to: `host:port`.
    pub(super) host: String,
    /// What stands before `/api`, without a slash at its end.
    pub(super) prefix: String,
}

impl PlaceArgs {
    /// Flags first, then variables. What is empty was not said.
    pub(super) fn read(&self) -> Result<Place, String> {
        let place = self.read_somewhere()?;
        if place.channel.is_empty() {
            return Err("which channel? give --channel or ROGERRAT_CHANNEL".into());
        }
        if place.session.is_none() && place.callsign.is_none() {
            return Err("as whom? give --callsign to join, or --session or ROGERRAT_SESSION".into());
        }
        Ok(place)
    }

    /// The same where the channel may be empty, and who is there unknown.
    pub(super) fn read_somewhere(&self) -> Result<Place, String> {
        let said = |flag: &Option<String>, variable: &str| {
            let value = flag.clone().or_else(|| env::var(variable).ok());
            value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let origin = said(&self.origin, "ROGERRAT_ORIGIN");
        let channel = said(&self.channel, "ROGERRAT_CHANNEL");
        let token = match &self.token_file {
            Some(file) => {
                let text = fs::read_to_string(file);
                let text =
                    text.map_err(|cause| format!("the token cannot be read from {}: {cause}", file.display()))?;
                Some(text.trim().to_owned()).filter(|token| !token.is_empty())
            }
            None => said(&self.token, "ROGERRAT_TOKEN"),
        };
        let place = Place {
            hub: Hub::parse(origin.as_deref().unwrap_or(HERE))?,
            channel: channel.unwrap_or_default(),
            token,
            session: said(&self.session, "ROGERRAT_SESSION"),
            callsign: self.callsign.clone(),
            consumer: self.consumer.clone(),
        };
        place.check().map(|()| place)
    }
}

impl Place {
    fn check(&self) -> Result<(), String> {
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let is_word = |word: &String| word.bytes().all(|b| b.is_ascii_graphic());
        for (what, value, is_good) in [
            ("channel", Some(&self.channel), &is_name as &dyn Fn(&String) -> bool),
            ("consumer", self.consumer.as_ref(), &is_name),
            ("token", self.token.as_ref(), &is_word),
            ("session", self.session.as_ref(), &is_word),
        ] {
            if value.is_some_and(|value| !is_good(value)) {
                return Err(format!("the {what} has characters that no {what} has"));
            }
        }
        Ok(())
    }
}

impl Hub {
    /// As a person would write it.
    pub(super) fn origin(&self) -> String {
        format!("http://{}{}", self.host, self.prefix)
    }

    /// Takes `http://host[:port][/prefix]`.
    fn parse(origin: &str) -> Result<Self, String> {
        let parsed = Url::parse(origin).map_err(|cause| format!("`{origin}` is not a URL: {cause}"))?;
        if parsed.scheme() != "http" {
            return Err(format!("`{origin}`: only http:// is spoken here; put a tunnel or a proxy in front for https"));
        }
        let name = parsed.host_str().ok_or_else(|| format!("`{origin}` has no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        Ok(Self { host: format!("{name}:{port}"), prefix: parsed.path().trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            hub: Hub::parse(HERE).unwrap(),
            channel: "quiet-lab-1".into(),
            token: Some("t".into()),
            session: None,
            callsign: Some("bob".into()),
            consumer: None,
        }
    }

    #[test]
    fn an_address_is_plain_http() {
        let hub = Hub::parse("http://hub.local/rat/").unwrap();
        assert_eq!((&*hub.host, &*hub.prefix), ("hub.local:80", "/rat"));
        assert_eq!(Hub::parse("http://[::1]:7424").unwrap().host, "[::1]:7424");
        assert!(Hub::parse("https://hub.local").unwrap_err().contains("only http://"));
        assert!(Hub::parse("hub").unwrap_err().contains("not a URL"));
    }

    #[test]
    fn nothing_can_be_put_into_a_request() {
        assert!(place().check().is_ok());
        assert!(Place { channel: "a/../b".into(), ..place() }.check().is_err());
        assert!(Place { token: Some("a\r\nX-Evil: 1".into()), ..place() }.check().is_err());
        assert!(Place { session: Some("a b".into()), ..place() }.check().is_err());
        assert!(Place { consumer: Some("a&max=1".into()), ..place() }.check().is_err());
    }
}
