// The header of all pages: where to go, and a menu with theme and language.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { LANGUAGES, chooseLanguage, currentLanguage, t } from "./i18n.js";
import { icon } from "./icon.js";
import { lasting } from "./storage.js";

const THEME = "rogerrat.theme";
const PLACES = [["/start", "header.start"], ["/account", "header.account"], ["/docs", "header.docs"], ["/policy", "header.policy"]];

/**
 * Renders the header in place of the one in the page, which works without scripts. Call it after `start` of `i18n.js`.
 */
export function mountHeader() {
  const place = document.getElementById("header");
  if (!place) return;
  place.replaceChildren();
  const draw = () => render(header(draw), place);
  draw();
}

/** @param {() => void} draw */
function header(draw) {
  const here = location.pathname === "/" ? "/start" : location.pathname;
  return html`<a class="brand" href="/">${icon("mark")}<span>rogerrat</span></a>
    <nav aria-label=${t("header.main")}>
      ${PLACES.map(([path, key]) => html`<a href=${path} aria-current=${here === path || here.startsWith(`${path}/`) ? "page" : "false"}>${t(key)}</a>`)}
    </nav>
    <button type="button" class="button quiet round" id="settings-button" popovertarget="settings" aria-label=${t("header.settings")}>${icon("sliders")}</button>
    <div id="settings" class="popover" popover role="dialog" aria-label=${t("header.settings")}>
      <fieldset class="choice">
        <legend>${t("header.theme")}</legend>
        ${["system", "light", "dark"].map(
          (theme) => html`<label><input type="radio" name="theme" value=${theme} ?checked=${currentTheme() === theme} @change=${() => chooseTheme(theme, draw)} />
            <span>${t(`header.theme.${theme}`)}</span></label>`,
        )}
      </fieldset>
      <fieldset class="choice">
        <legend>${t("header.language")}</legend>
        ${Object.entries(LANGUAGES).map(
          ([code, name]) => html`<label lang=${code}><input type="radio" name="language" value=${code} ?checked=${currentLanguage() === code} @change=${() => chooseLanguage(code)} />
            <span>${name}</span></label>`,
        )}
      </fieldset>
    </div>`;
}

const currentTheme = () => lasting.get(THEME) ?? "system";

/** @param {string} theme @param {() => void} draw */
function chooseTheme(theme, draw) {
  if (theme === "system") {
    lasting.remove(THEME);
    delete document.documentElement.dataset.theme;
  } else {
    lasting.set(THEME, theme);
    document.documentElement.dataset.theme = theme;
  }
  draw();
}
