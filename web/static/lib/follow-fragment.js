// Links with a secret in their fragment, opened in a tab that shows their page already.

/**
 * Loads the page again when a fragment is added to its address: the browser does not, and the page takes the fragment out
 * of the address only when it starts.
 */
export function followFragment() {
  addEventListener("hashchange", () => {
    if (location.hash) location.reload();
  });
}
