// Takes the password of a room out of the address: from `?password=`, as agent-chatroom writes it, or from `#p=`.

/**
 * Removes the password from the address bar and the history. Call it before anything else runs.
 * @param {{location: {href: string}, history: {state: any, replaceState: (state: any, unused: string, url: string) => void}}} page
 * @returns {string} "" without one
 */
export function takePassword({ location, history }) {
  const address = new URL(location.href);
  const fragment = new URLSearchParams(address.hash.replace(/^#/u, "").replace(/&(?:amp;)+/gu, "&"));
  const password = fragment.get("p") || address.searchParams.get("password") || "";
  const given = address.searchParams.has("password") || address.hash !== "";
  address.searchParams.delete("password");
  address.hash = "";
  if (given) history.replaceState(history.state, "", address.pathname + address.search);
  return password;
}
