//! Remote control for any interface: the links for a phone, their QR codes, and commands for the agent's side.

mod commands;
mod link;

use actix_web::HttpRequest;
use rogerrat_actors::{AccountOwner, Admitted, HubError, PhoneLink, RemoteControl};
use rogerrat_domain::account::IdentityReply;
use rogerrat_domain::remote::{QrForm, RemoteInput, display_name};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::commands::RemoteCommands;
use self::link::PhoneAccess;
pub(crate) use self::link::encoded;
use super::device_label::session_label;
use super::qr::Qr;
use super::state::AppState;

/// The links for a phone, as they are returned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhoneLinks {
    /// The link for the phone. It contains every secret that was created: anyone who has it can instruct the agent.
    pub(crate) mobile_url: String,
    /// The same link without the owner password, for which the page asks.
    pub(crate) mobile_url_protected: String,
    /// `mobile_url` as a QR code for a terminal, black on white by escape sequences.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) qr_ascii: Option<String>,
    /// The same without escape sequences, for light text on a dark background.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) qr_ascii_clean: Option<String>,
    /// `mobile_url` as a QR code: a PNG image of 512 pixels as a data URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) qr_data_url: Option<String>,
    /// Why no phone can open the links.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) notice: Option<String>,
    /// A text for the person, to be relayed word for word: both links, and the PIN if it is known.
    pub(crate) operator_handoff: String,
}

/// A remote control that was opened, with all its secrets.
pub(crate) struct OpenedRemote {
    pub(crate) remote: RemoteControl,
    pub(crate) session_ttl_seconds: u64,
    pub(crate) links: PhoneLinks,
}

/// A phone that was added to a channel, with its secrets.
pub(crate) struct AddedPhone {
    pub(crate) phone: IdentityReply,
    /// The owner password, if the channel had none.
    pub(crate) pin: Option<String>,
    pub(crate) links: PhoneLinks,
}

/// Which person is added to which channel.
pub(crate) struct PhoneRequest<'a> {
    pub(crate) channel: &'a Admitted,
    /// The channel's token, as the caller presented it.
    pub(crate) token: &'a str,
    pub(crate) owner: &'a AccountOwner,
    pub(crate) name: Option<&'a str>,
    pub(crate) callsign: Option<&'a str>,
}

/// The QR codes of a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QrForms {
    pub(crate) ansi: bool,
    pub(crate) plain: bool,
    pub(crate) png: bool,
}

impl QrForms {
    /// The forms that a request over HTTP asks for: all, unless it says otherwise.
    pub(crate) fn over_http(form: Option<QrForm>) -> Self {
        let is = |wanted: QrForm| form.is_none_or(|form| form == wanted);
        Self { ansi: is(QrForm::Ascii), plain: is(QrForm::Ascii), png: is(QrForm::Png) }
    }

    /// The forms for the caller of a tool, to whom escape sequences mean nothing: block characters, unless it says
    /// otherwise.
    pub(crate) fn for_tools(form: Option<QrForm>) -> Self {
        let form = form.unwrap_or(QrForm::Ascii);
        Self { ansi: false, plain: form == QrForm::Ascii, png: form == QrForm::Png }
    }
}

impl AppState {
    /// Opens remote control, owned by `owner` if there is one, else by a new account.
    ///
    /// # Errors
    /// The refusal of the hub.
    pub(crate) async fn open_remote_control(
        &self,
        request: &HttpRequest,
        input: &RemoteInput,
        qr: QrForms,
        owner: Option<&AccountOwner>,
    ) -> Result<OpenedRemote, HubError> {
        let name = display_name(input.name.as_deref())?;
        let label = session_label(None, request.headers())?;
        let remote = self.hub.open_remote_control(input, owner, label.as_ref()).await?;
        let channel = &remote.created.channel;
        let access = PhoneAccess {
            channel: channel.id().as_str(),
            token: &remote.created.token,
            phone: &remote.phone,
            owner_password: Some(&remote.pin),
            name,
        };
        let links = self.links(request, &access, qr);
        let session_ttl_seconds = channel.settings().session_ttl_ms.div_ceil(1000);
        Ok(OpenedRemote { remote, session_ttl_seconds, links })
    }

    /// Adds a phone to a channel.
    ///
    /// # Errors
    /// The refusal of the hub.
    pub(crate) async fn add_phone(
        &self,
        request: &HttpRequest,
        phone: &PhoneRequest<'_>,
        qr: QrForms,
    ) -> Result<AddedPhone, HubError> {
        let name = display_name(phone.name)?;
        let PhoneLink { phone: identity, pin } = self.hub.add_phone(phone.channel, phone.owner, phone.callsign).await?;
        let access = PhoneAccess {
            channel: phone.channel.id().as_str(),
            token: phone.token,
            phone: &identity,
            owner_password: pin.as_deref(),
            name,
        };
        let links = self.links(request, &access, qr);
        Ok(AddedPhone { phone: identity, pin, links })
    }

    fn links(&self, request: &HttpRequest, access: &PhoneAccess<'_>, qr: QrForms) -> PhoneLinks {
        let origin = self.link_origin(request);
        let (mobile_url, mobile_url_protected) = (access.url(&origin), access.protected_url(&origin));
        let code = if qr.ansi || qr.plain || qr.png { Qr::of(&mobile_url) } else { None };
        PhoneLinks {
            qr_ascii: code.as_ref().filter(|_| qr.ansi).map(Qr::ansi),
            qr_ascii_clean: code.as_ref().filter(|_| qr.plain).map(Qr::plain),
            qr_data_url: code.as_ref().filter(|_| qr.png).and_then(Qr::data_url),
            notice: link::notice(&origin),
            operator_handoff: access.handoff(&mobile_url, &mobile_url_protected),
            mobile_url,
            mobile_url_protected,
        }
    }
}
