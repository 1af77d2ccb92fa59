// How the pages become an app on this device: a button where the browser offers it, the way there on phones of Apple.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { canInstall, isInstalled, isOnHomeScreen } from "../lib/app.js";
import { t } from "../lib/i18n.js";
import { hasOffer, takeOffer } from "../lib/install.js";
import { icon } from "./icon.js";

/** @param {HTMLElement} place stays empty where the app cannot be installed, or is */
export async function showInstall(place) {
  if (isInstalled() || (!hasOffer() && isOnHomeScreen() !== false)) return;
  if (!await canInstall().catch(() => false)) return;
  let done = false;
  const install = async () => {
    const outcome = await takeOffer()?.prompt();
    done = outcome?.outcome === "accepted";
    draw();
  };
  const draw = () => render(html`<h3>${t("chat.install")}</h3>
    <p class="muted">${t(isOnHomeScreen() === false ? "chat.install.ios" : "chat.install.about")}</p>
    ${hasOffer() ? html`<div class="buttons"><button type="button" class="button" @click=${install}>${icon("download")}${t("chat.install.do")}</button></div>` : nothing}
    <p role="status" class="muted">${done ? t("chat.install.done") : nothing}</p>`, place);
  draw();
}
