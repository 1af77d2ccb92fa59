// The entry of the page `account`.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

await start("account");
mountHeader();
