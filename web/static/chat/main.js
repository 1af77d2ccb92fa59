// The entry of the page `chat`.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

await start("chat");
mountHeader();
