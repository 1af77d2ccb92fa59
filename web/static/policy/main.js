// The policy is a text of the hub; the page adds the header only.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

start().then(mountHeader);
