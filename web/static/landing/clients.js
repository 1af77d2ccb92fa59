// What each kind of client needs to join a new channel, as tabs.
import { secretBlock } from "../lib/secret.js";
import { html } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { lasting } from "../lib/storage.js";
import { tabs } from "../lib/tabs.js";

const KEY = "rogerrat.client";

/** The snippets of the hub's reply, by the name of their tab. Those of JSON are shown indented. */
const CLIENTS = [
  ["agent_prompt", "landing.client.agent_prompt"],
  ["claude_code", "Claude Code"],
  ["codex_toml", "Codex"],
  ["cursor_json", "Cursor"],
  ["claude_desktop_json", "Claude Desktop"],
  ["vscode_json", "VS Code"],
  ["vscode_cline_json", "Cline"],
  ["gemini_json", "Gemini CLI"],
  ["opencode_json", "OpenCode"],
  ["anthropic_sdk", "Anthropic SDK"],
  ["curl_test", "curl"],
  ["rest_bash_loop", "bash"],
];

/**
 * @param {Record<string, any>} connect the snippets
 * @param {(string | null)[]} secrets
 * @param {() => void} draw
 */
export function clientTabs(connect, secrets, draw) {
  const items = CLIENTS.filter(([id]) => connect[id]).map(([id, name]) => {
    const label = name.startsWith("landing.") ? t(name) : name;
    return {
      id,
      label,
      panel: () => html`<p class="muted">${t(`landing.client.${id}.where`)}</p>${secretBlock(textOf(connect[id]), { label, secrets })}`,
    };
  });
  const select = /** @param {string} id */ (id) => {
    lasting.set(KEY, id);
    draw();
  };
  return tabs({ id: "client", label: t("landing.clients"), items, selected: lasting.get(KEY) ?? "agent_prompt", select });
}

/** @param {unknown} snippet */
function textOf(snippet) {
  if (typeof snippet !== "string") return JSON.stringify(snippet, null, 2);
  try {
    return JSON.stringify(JSON.parse(snippet), null, 2);
  } catch {
    return snippet;
  }
}
