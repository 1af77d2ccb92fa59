// Renders /openapi.json: every route with its parameters, bodies, responses and errors, and a form to try it.
// All values are inserted as text, never as markup, and nothing is loaded from other hosts.
import { mountHeader } from "../lib/header.js";
import { start } from "../lib/i18n.js";

/** A part of the OpenAPI document, which may be a reference. @typedef {any} Part */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
const el = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
};

/** Converts text with `code` spans. @param {string | undefined} text @returns {Node[]} */
const prose = (text) =>
  (text || "").split("`").map((part, i) => (i % 2 ? el("code", {}, part) : document.createTextNode(part)));

/** @param {string | undefined} text */
const paragraphs = (text) => (text || "").split("\n\n").map((part) => el("p", {}, ...prose(part)));

/** The document. @type {any} */
let api;

/** @param {Part} thing @returns {any} */
const resolve = (thing) => {
  if (!thing || !thing.$ref) return thing;
  const { $ref, ...beside } = thing;
  const path = $ref.slice(2).split("/").map((/** @type {string} */ key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
  return { ...path.reduce((/** @type {any} */ at, /** @type {string} */ key) => at[key], api), ...beside };
};

/** @param {Part} thing @returns {string | null} */
const name = (thing) => (thing && thing.$ref ? thing.$ref.split("/").pop() : null);

/** A schema and the schemas it extends. @param {Part} schema @returns {Part[]} */
const parts = (schema) => [schema, ...(schema.allOf || []).filter((/** @type {Part} */ part) => part.$ref || part.properties).map(resolve)];

/** @param {Part} schema @returns {Record<string, Part>} */
const fields = (schema) => Object.assign({}, ...parts(schema).map((part) => part.properties || {}));

/** @param {Part} schema @returns {Set<string>} */
const needed = (schema) => new Set(parts(schema).flatMap((part) => part.required || []));

/** A short description of a type. @param {Part} unresolved @returns {string} */
const kind = (unresolved) => {
  const schema = resolve(unresolved) || {};
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ word) => JSON.stringify(word)).join(" | ");
  const several = schema.oneOf || schema.anyOf;
  if (several && !schema.properties) return several.map((/** @type {Part} */ one) => name(one) || kind(one)).join(" or ");
  /** @type {string[]} */
  const types = [schema.type || []].flat();
  const words = types.map((type) => (type === "array" ? `list of ${kind(schema.items || {})}` : type));
  const target = name(unresolved);
  if (types.includes("object") && target) return target;
  return words.join(" or ") || (schema.allOf ? target || "object" : "any");
};

const BOUNDS = [
  ["minimum", "≥ "], ["maximum", "≤ "], ["minLength", "characters ≥ "], ["maxLength", "characters ≤ "],
  ["minItems", "items ≥ "], ["maxItems", "items ≤ "], ["pattern", "matches "],
];

/** @param {Part} unresolved */
const bounds = (unresolved) => {
  const schema = resolve(unresolved) || {};
  return BOUNDS.filter(([key]) => schema[key] !== undefined).map(([key, words]) => words + schema[key]).join(", ");
};

/**
 * @param {string} label
 * @param {Part} schema
 * @param {string | undefined} description
 * @param {boolean} required
 */
const row = (label, schema, description, required) =>
  el("tr", {},
    el("td", {}, el("code", {}, label), required ? el("span", { class: "must", title: "required" }, " *") : null),
    el("td", {}, kind(schema), el("div", { class: "bounds" }, bounds(schema))),
    el("td", {}, ...prose(description || (resolve(schema) || {}).description)));

/** @param {HTMLElement[]} rows */
const table = (rows) => el("table", {}, el("tbody", {}, ...rows));

/**
 * The fields of a schema, followed by those of the schemas it references.
 * @param {Part} unresolved
 * @param {Set<string>} [seen]
 * @returns {HTMLElement}
 */
const shape = (unresolved, seen = new Set()) => {
  const schema = resolve(unresolved) || {};
  const inner = Object.entries(fields(schema));
  if (!inner.length) return el("p", {}, kind(unresolved));
  const must = needed(schema);
  const named = [];
  for (const [, field] of inner) {
    for (const one of [field, field.items, ...(field.oneOf || [])]) {
      const target = name(one);
      if (target && !seen.has(target) && Object.keys(fields(resolve(one))).length) {
        seen.add(target);
        named.push(el("div", { class: "inner" }, el("h4", {}, target), shape(one, seen)));
      }
    }
  }
  return el("div", {}, table(inner.map(([label, field]) => row(label, field, field.description, must.has(label)))), ...named);
};

/** @param {Record<string, any> | undefined} media */
const content = (media) =>
  Object.entries(media || {}).map(([type, one]) => {
    const schema = resolve(one.schema) || {};
    const events = schema.oneOf && schema.oneOf[0].properties && schema.oneOf[0].properties.event;
    if (!events) return el("div", {}, el("p", { class: "kind" }, type), one.schema ? shape(one.schema) : null);
    const rows = schema.oneOf.map((/** @type {any} */ event) => {
      const data = event.properties.data.contentSchema;
      return el("div", { class: "inner" }, el("h4", {}, event.properties.event.const), el("p", {}, event.description), shape(data));
    });
    return el("div", {}, el("p", { class: "kind" }, type), ...rows);
  });

/** @param {any} operation */
const responses = (operation) => {
  const all = Object.entries(operation.responses);
  const good = all.filter(([status]) => Number(status) < 400).map(([status, unresolved]) => {
    const response = resolve(unresolved);
    return el("div", {}, el("h3", {}, status), ...paragraphs(response.description), ...content(response.content));
  });
  const bad = all.filter(([status]) => Number(status) >= 400).map(([status, unresolved]) =>
    el("tr", {}, el("td", {}, status), el("td", {}, ...prose(resolve(unresolved).description))));
  return bad.length ? [...good, el("h3", {}, "Errors"), table(bad)] : good;
};

/** @param {any} operation */
const secrets = (operation) =>
  [...new Set((operation.security || []).flatMap((/** @type {object} */ one) => Object.keys(one)))].filter((scheme) => scheme.endsWith("token"));

/**
 * A form that sends the request. Nothing is sent until the button is pressed, and no input is stored.
 * @param {string} method
 * @param {string} path
 * @param {any} operation
 */
const form = (method, path, operation) => {
  const output = el("pre", { class: "answer", hidden: "", tabindex: "0" });
  /** @type {{label: string, where: string, box: HTMLInputElement}[]} */
  const inputs = [];
  const input = (/** @type {string} */ label, /** @type {string} */ where, /** @type {string} */ hint) => {
    const box = el("input", { name: label, placeholder: hint || "", autocomplete: "off", spellcheck: "false" });
    inputs.push({ label, where, box });
    return el("label", {}, el("span", {}, label), box);
  };
  const rows = secrets(operation).slice(0, 1).map((scheme) => input("Authorization", "bearer", scheme.replace("_", " ")));
  for (const parameter of operation.parameters || []) rows.push(input(parameter.name, parameter.in, parameter.in));
  const body = operation.requestBody ? el("textarea", { rows: "3", spellcheck: "false" }, "{}") : null;
  const button = el("button", { type: "submit" }, `Send ${method.toUpperCase()}`);
  const it = el("form", {}, ...rows, body ? el("label", {}, el("span", {}, "body"), body) : null, button, output);
  it.addEventListener("submit", async (event) => {
    event.preventDefault();
    /** @type {Record<string, string>} */
    const headers = {};
    const query = new URLSearchParams();
    let target = path;
    for (const { label, where, box } of inputs) {
      if (where === "path") target = target.replace(`{${label}}`, encodeURIComponent(box.value));
      else if (!box.value) continue;
      else if (where === "query") query.set(label, box.value);
      else headers[label] = where === "bearer" ? `Bearer ${box.value}` : box.value;
    }
    output.hidden = false;
    output.textContent = "…";
    const stop = new AbortController();
    try {
      const options = { method: method.toUpperCase(), headers, body: body ? body.value : undefined, signal: stop.signal };
      const response = await fetch(target + (query.size ? `?${query}` : ""), options);
      output.textContent = `${response.status} ${response.statusText}\n`;
      if ((response.headers.get("content-type") || "").startsWith("text/event-stream")) {
        // A stream does not end; show it for ten seconds.
        setTimeout(() => stop.abort(), 10000);
        if (!response.body) return;
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let read = await reader.read(); !read.done; read = await reader.read()) output.append(read.value);
        return;
      }
      const text = await response.text();
      try { output.append(JSON.stringify(JSON.parse(text), null, 1)); } catch { output.append(text); }
    } catch (error) {
      output.append(`\n(${error instanceof DOMException && error.name === "AbortError" ? "stopped after ten seconds" : error})`);
    }
  });
  return el("details", { class: "try" }, el("summary", {}, "Try it"), it);
};

/**
 * @param {string} method
 * @param {string} path
 * @param {any} operation
 */
const route = (method, path, operation) => {
  const parameters = (operation.parameters || []).map((/** @type {any} */ p) =>
    row(p.name, p.schema, `${p.description || (resolve(p.schema) || {}).description || ""} (${p.in})`, p.required));
  const guards = secrets(operation).map((scheme) => `\`${scheme}\`: ${api.components.securitySchemes[scheme].description}`);
  const request = operation.requestBody;
  const details = el("details", { id: operation.operationId, class: "route" },
    el("summary", {}, el("b", { class: method }, method.toUpperCase()), " ", el("code", {}, path), el("span", { class: "sum" }, " ", ...prose(operation.summary))));
  // Rendered when first opened, because the whole page is long.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    details.append(
      ...paragraphs(operation.description),
      ...guards.map((guard) => el("p", {}, ...prose(guard))),
      ...(parameters.length ? [el("h3", {}, "Parameters"), table(parameters)] : []),
      ...(request ? [el("h3", {}, "Body"), ...paragraphs(request.description), ...content(request.content)] : []),
      ...responses(operation),
      form(method, path, operation));
  });
  return details;
};

/** @param {string} id */
const place = id => /** @type {HTMLElement} */ (document.getElementById(id));

const show = () => {
  document.title = `${api.info.title} ${api.info.version}: API reference`;
  place("preface").replaceChildren(el("a", { href: "/openapi.json" }, "/openapi.json"), ` of rogerrat ${api.info.version} at ${api.servers[0].url}`);
  const list = place("api");
  list.append(...paragraphs(api.info.description));
  for (const tag of api.tags) {
    const routes = Object.entries(api.paths).flatMap(([path, item]) =>
      Object.entries(item).filter(([, operation]) => (operation.tags || []).includes(tag.name)).map(([method, operation]) => route(method, path, operation)));
    list.append(el("h2", {}, tag.name), el("p", {}, ...prose(tag.description)), ...routes);
  }
  const here = location.hash && document.getElementById(location.hash.slice(1));
  if (here instanceof HTMLDetailsElement) { here.open = true; here.scrollIntoView(); }
};

start().then(mountHeader);
fetch("/openapi.json").then((response) => response.json()).then((description) => { api = description; show(); })
  .catch((error) => { place("preface").append(` It could not be loaded: ${error}`); });
