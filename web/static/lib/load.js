// Parts of a page that are loaded when they are used. One that cannot be loaded is reported, with a button that loads the page again.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { has, t } from "./i18n.js";

/** A part could not be loaded, which is shown. */
class LoadFailure extends Error {}

/** Keeps a failure that no caller handles from the console: it is shown. @param {PromiseRejectionEvent} event */
function handled(event) {
  if (event.reason instanceof LoadFailure) event.preventDefault();
}

/**
 * Waits for a part: `await load(import("./x.js"))`. It fails if the hub is away, or was updated and no longer has the file.
 * @template T
 * @param {Promise<T>} part
 * @returns {Promise<T>}
 * @throws {LoadFailure}
 */
export async function load(part) {
  try {
    return await part;
  } catch (cause) {
    addEventListener("unhandledrejection", handled);
    report();
    throw new LoadFailure("a part of the page could not be loaded", { cause });
  }
}

function report() {
  const id = "load-failure";
  if (document.getElementById(id)) return;
  const place = document.createElement("div");
  place.id = id;
  place.className = "notice warn";
  place.setAttribute("role", "alert");
  // The texts may be what could not be loaded.
  const text = has("common.incomplete") ? t("common.incomplete") : "This page could not be loaded. / No se pudo cargar esta página.";
  render(html`<p>${text}</p><div class="row">
    <button type="button" class="button small primary" @click=${() => location.reload()}>${has("common.reload") ? t("common.reload") : "↻"}</button>
    ${has("common.close") ? html`<button type="button" class="button small" @click=${() => place.remove()}>${t("common.close")}</button>` : ""}</div>`, place);
  // What is outside of a modal dialog cannot be used.
  ([...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body).append(place);
}
