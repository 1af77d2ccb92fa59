// The session token of this tab. It is kept nowhere else.
import { ofTab } from "../lib/storage.js";

const KEY = "rogerrat-account-session";

/** The session token of this tab, or an empty text. */
export const storedToken = () => ofTab.get(KEY) ?? "";

/** @param {string} token */
export const storeToken = token => ofTab.set(KEY, token);

/** Removes the session token from this tab. */
export const forgetToken = () => ofTab.remove(KEY);
