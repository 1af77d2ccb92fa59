//! Commands that the agent of a remote control pastes into a shell. Only the first contains secrets, and it writes them to
//! a file that no other user can read; the others run that file (D29).

use rogerrat_actors::RemoteControl;

use crate::web::quoted;

/// Commands for a POSIX shell, to be pasted as they are. They use the command `rogerrat` if it is installed, else the
/// script `/rr` of the hub.
pub(crate) struct RemoteCommands {
    /// Stores the secrets in a file that only its user can read, and joins. The other commands need it once.
    pub(crate) setup: String,
    /// Keeps running, and appends each message to a file as one line of JSON.
    pub(crate) receiver: String,
    /// Ends when a message arrives, and prints it.
    pub(crate) waiter: String,
    /// Sends the text between its first and its last line to the phone.
    pub(crate) reply: String,
    /// Joins again and tells the phone that the agent can be reached.
    pub(crate) selftest: String,
}

impl RemoteCommands {
    /// The commands for an agent that reaches the hub at `origin`.
    pub(crate) fn of(origin: &str, remote: &RemoteControl) -> Self {
        let channel = remote.created.channel.id();
        let run = format!("sh \"$HOME/.config/rogerrat/remote-{channel}\"");
        Self {
            setup: setup(origin, remote, &run),
            receiver: format!("{run} listen-here --inbox \"$HOME/.config/rogerrat/remote-{channel}.inbox\""),
            waiter: format!("{run} wait"),
            reply: format!(
                "{run} send {} - <<'END_OF_TEXT'\nwrite your answer here\nEND_OF_TEXT",
                remote.phone.callsign
            ),
            selftest: format!("{run} join && {run} send --status all 'this agent can be reached' && {run} roster"),
        }
    }
}

fn setup(origin: &str, remote: &RemoteControl, run: &str) -> String {
    let RemoteControl { created, pin, agent, .. } = remote;
    let channel = created.channel.id().as_str();
    let variables = [
        ("ORIGIN", origin),
        ("CHANNEL", channel),
        ("PROFILE", &format!("remote-{channel}")),
        ("TOKEN", &created.token),
        ("IDENTITY_KEY", &agent.identity_key),
        ("OWNER_PASSWORD", pin),
    ];
    let variables = variables.map(|(name, value)| format!("export ROGERRAT_{name}={}\n", quoted(value))).concat();
    format!(
        "(umask 077; mkdir -p \"$HOME/.config/rogerrat\" && cat > \"$HOME/.config/rogerrat/remote-{channel}\" \
         <<'END_OF_FILE'\n# The client of the remote control of {channel}, with its secrets.\n{variables}\
         unset ROGERRAT_SESSION\ncommand -v rogerrat >/dev/null 2>&1 && exec rogerrat \"$@\"\n\
         exec sh \"$HOME/.config/rogerrat/rr\" \"$@\"\nEND_OF_FILE\n)\n\
         command -v rogerrat >/dev/null 2>&1 || curl -fsS {} -o \"$HOME/.config/rogerrat/rr\"\n{run} join",
        quoted(&format!("{origin}/rr"))
    )
}
