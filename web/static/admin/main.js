// The entry of the page `admin`.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

await start("admin");
mountHeader();
