// The entry of the page `landing`.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

await start("landing");
mountHeader();
