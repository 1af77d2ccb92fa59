// The link of an e-mail that opened the page.

/** @typedef {{kind: "verify" | "recover", secret: string}} Link */

/**
 * Takes the link out of the address, so that its secret does not stay in the history.
 * @param {Window} page
 * @returns {Link | null}
 */
export function takeLink({ location, history }) {
  const link = readLink(location);
  if (link) history.replaceState(null, "", location.pathname);
  return link;
}

/**
 * The link that opened the page, or null. Its secret is in the fragment, which mail programs may have encoded.
 * @param {{pathname: string, hash: string}} address
 * @returns {Link | null}
 */
export function readLink({ pathname, hash }) {
  const kind = pathname === "/account/verify" ? "verify" : pathname === "/account/recover" ? "recover" : null;
  if (kind === null) return null;
  const plain = hash.replace(/%3d/giu, "=");
  const secret = (kind === "verify" ? /[#&;?]c=([\w-]{1,64})/u : /[#&;?]t=([\w-]{1,64})/u).exec(plain)?.[1];
  return secret === undefined ? null : { kind, secret };
}
