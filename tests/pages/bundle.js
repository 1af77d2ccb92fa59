// Bundles web/static into web/dist, which the executable contains: `node bundle.js`, or `node bundle.js --check` to compare only.
//
// A page loads two scripts first: its own `main.js` and what several pages share. What it imports later is a file of its own.
// esbuild alone would split the modules of a page by the imports that use them, into dozens of files that are all loaded
// first. Here each module of a first load belongs to one file (`place`), and the others import it from there.

import { readdir, readFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../web", import.meta.url));
const source = join(root, "static");
const output = join(root, "dist");
const SHARED = "chunks/shared.js";
const CHAT = "chunks/chat.js";
/** Two pages of one view. */
const chatPages = ["chat/main.js", "room/main.js"];
const options = /** @type {const} */ ({
  absWorkingDir: source, outdir: output, outbase: source, write: false, metafile: true, format: "esm", target: "es2022",
  charset: "utf8", minify: true, legalComments: "none", logLevel: "silent",
});

/** Every file below a folder, as paths relative to it with `/`. @param {string} folder */
async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = entries.filter(entry => entry.isFile()).map(entry => relative(folder, join(entry.parentPath, entry.name)));
  return found.map(path => path.replaceAll("\\", "/")).sort();
}

/** A path of web/static, as the keys of the graph are. @param {string} path */
const inSource = path => relative(source, path).replaceAll("\\", "/");

/** The path of an imported module. @param {string} from @param {string} to */
const resolved = (from, to) => join(dirname(from), to).replaceAll("\\", "/");

/**
 * Every module with what it imports and exports.
 * @param {string[]} paths
 * @returns {Promise<Map<string, {statics: Map<string, string[]>, later: string[], exports: string[]}>>}
 */
async function graph(paths) {
  const { outputFiles, metafile } = await build({ ...options, entryPoints: paths, bundle: false, minifyIdentifiers: false });
  return new Map(outputFiles.map(file => {
    const path = relative(output, file.path).replaceAll("\\", "/");
    const { exports } = metafile.outputs[relative(source, file.path).replaceAll("\\", "/")];
    /** @type {Map<string, string[]>} */
    const statics = new Map();
    for (const [, clause = "{}", to] of file.text.matchAll(/(?:^|[;}])(?:import|export)(?:([^;"'()=]*?)from)?"(\.[^"]+\.js)"/gmu)) {
      if (!/^\{[^{}]*\}$/u.test(clause.trim())) throw new Error(`${path}: import ${to} by names, not ${clause}`);
      const names = clause.replace(/[{}]/gu, "").split(",").map(name => name.trim().split(" as ")[0]).filter(Boolean);
      const target = resolved(path, to);
      statics.set(target, [...statics.get(target) ?? [], ...names]);
    }
    const later = [...file.text.matchAll(/\bimport\("(\.[^"]+)"\)/gu)].map(([, to]) => resolved(path, to));
    return [path, { statics, later, exports }];
  }));
}

/** What an entry reaches. @param {string} entry @param {(path: string) => Iterable<string>} next */
function reach(entry, next) {
  const found = new Set([entry]);
  for (const path of found) for (const target of next(path)) found.add(target);
  return found;
}

/** @returns {Promise<Map<string, Uint8Array>>} every file of web/dist */
async function bundle() {
  const all = (await files(source)).filter(path => /\.[a-z]+$/u.test(path) && !path.endsWith(".d.ts"));
  const scripts = all.filter(path => path.endsWith(".js"));
  const isText = (/** @type {string} */ path) => path.startsWith("i18n/");
  const modules = await graph(scripts.filter(path => !isText(path)));
  const of = (/** @type {string} */ path) => {
    const module = modules.get(path);
    if (!module) throw new Error(`${path} is imported and does not exist`);
    return module;
  };
  const pages = scripts.filter(path => /^[^/]+\/main\.js$/u.test(path));
  const first = new Map(pages.map(page => [page, reach(page, path => of(path).statics.keys())]));
  const whole = new Map(pages.map(page => [page, reach(page, path => [...of(path).statics.keys(), ...of(path).later])]));

  /** The file that a module of a first load belongs to. Others are left to esbuild. @param {string} path */
  function place(path) {
    const loading = pages.filter(page => first.get(page)?.has(path));
    const using = pages.filter(page => whole.get(page)?.has(path));
    if (loading.length === 0) return null;
    if (using.length === 1) return loading[0];
    if (using.every(page => chatPages.includes(page))) return CHAT;
    return SHARED;
  }
  const places = new Map([...modules.keys()].map(path => [path, place(path)]));
  const importers = [...modules.keys()].sort().filter(path => pages.some(page => whole.get(page)?.has(path)));

  /** What each file exports for the others: the names of a module, by its path. @type {Map<string, Map<string, Set<string>>>} */
  const exported = new Map([SHARED, CHAT, ...pages].map(file => [file, new Map()]));
  for (const importer of importers) {
    const { statics, later } = of(importer);
    const wanted = [...statics].filter(([path]) => places.get(path) !== places.get(importer));
    for (const path of later) wanted.push([path, of(path).exports]);
    for (const [path, names] of wanted) {
      const file = places.get(path);
      if (!file) continue;
      const known = exported.get(file)?.get(path) ?? new Set();
      for (const name of names) known.add(name);
      exported.get(file)?.set(path, known);
    }
  }
  /** A name of a module as its file exports it: with the module's, if another module has the same. @param {string} path @param {string} name */
  function outer(path, name) {
    const others = [...exported.get(places.get(path) ?? "") ?? []].filter(([other, names]) => other !== path && names.has(name));
    return others.length ? `${name}_${path.replace(/\.js$/u, "").replace(/[^a-zA-Z0-9]/gu, "_")}` : name;
  }
  /** The script of a file: exports what others import, loads its page. @param {string} file */
  function script(file) {
    const page = pages.includes(file) ? `import "./${file}";\n` : "";
    const lines = [...exported.get(file) ?? []].sort().map(([path, names]) => {
      const list = [...names].sort().map(name => `${name} as ${outer(path, name)}`);
      return `export {${list.join(", ")}} from "./${path}";\n`;
    });
    return page + lines.join("");
  }
  const placing = /** @type {import("esbuild").Plugin} */ ({
    name: "places",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path, importer, namespace, resolveDir, kind }) => {
        if (path.startsWith("output:")) return { path, namespace: "output" };
        if (namespace === "place") return { path, external: true };
        if (namespace === "output" || kind === "entry-point") return undefined;
        const target = inSource(join(resolveDir, path));
        const file = places.get(target);
        const from = inSource(importer);
        if (kind === "dynamic-import") {
          if (!file) return undefined;
          const renamed = of(target).exports.find(name => outer(target, name) !== name);
          if (renamed) throw new Error(`${target} is imported by import() and ${file} has another ${renamed}: rename it`);
          return { path: `../${file}`, external: true };
        }
        if (!file || file === places.get(from)) return undefined;
        // One for each importing file, or esbuild would make a file of it for all of them.
        return { path: target, suffix: `?${places.get(from) ?? from}`, namespace: "place", sideEffects: false };
      });
      onLoad({ filter: /./, namespace: "output" }, ({ path }) => ({ contents: script(path.slice("output:".length)), resolveDir: source }));
      onLoad({ filter: /./, namespace: "place" }, ({ path, suffix }) => {
        const file = /** @type {string} */ (places.get(path));
        const importing = importers.filter(one => `?${places.get(one) ?? one}` === suffix);
        const wanted = new Set(importing.flatMap(one => of(one).statics.get(path) ?? []));
        const names = [...wanted].sort().map(name => `${outer(path, name)} as ${name}`);
        // Every script is in a folder of web/dist.
        return { contents: `export {${names.join(", ")}} from "../${file}";\n`, resolveDir: source };
      });
    },
  });
  const later = [...new Set(importers.flatMap(path => of(path).later))].filter(path => !places.get(path)).sort();
  const entries = [SHARED, CHAT, ...pages].map(file => ({ in: `output:${file}`, out: file.slice(0, -3) }));
  const alone = [...modules.keys()].filter(path => !importers.includes(path) && !path.startsWith("vendor/"));
  const results = [
    await build({
      ...options, bundle: true, splitting: true, chunkNames: "chunks/[name]-[hash]", plugins: [placing],
      entryPoints: [...entries, ...later.map(path => ({ in: path, out: path.slice(0, -3) }))],
      // A file that waits at its top could not be imported by what it imports later.
      supported: { "top-level-await": false },
    }),
    await build({ ...options, entryPoints: scripts.filter(isText), bundle: true }),
    // Scripts that a shell or the browser loads by itself are no modules.
    await build({ ...options, entryPoints: alone, bundle: true, format: "iife" }),
    await build({ ...options, entryPoints: all.filter(path => path.endsWith(".css")), bundle: true, external: ["*.svg", "*.png"] }),
  ];
  const made = new Map();
  for (const { outputFiles } of results) {
    for (const file of outputFiles) if (file.contents.length) made.set(relative(output, file.path).replaceAll("\\", "/"), file.contents);
  }
  for (const path of all.filter(path => !/\.(?:js|css)$/u.test(path))) made.set(path, await readFile(join(source, path)));
  return made;
}

/** The paths that differ from web/dist. @param {Map<string, Uint8Array>} made */
async function differences(made) {
  const there = await files(output);
  const changed = [];
  for (const [path, content] of made) {
    const old = await readFile(join(output, path)).catch(() => null);
    if (!old?.equals(content)) changed.push(path);
  }
  return [...changed, ...there.filter(path => !made.has(path))].sort();
}

const made = await bundle().catch(error => {
  console.error(`web/static cannot be bundled: ${error.message}`);
  process.exit(1);
});
if (process.argv.includes("--check")) {
  const stale = await differences(made);
  if (stale.length) {
    console.error(`web/dist is not what web/static bundles to (${stale.slice(0, 5).join(", ")}${stale.length > 5 ? ", …" : ""}):\nrun \`cargo xtask bundle\` and commit web/dist`);
    process.exit(1);
  }
} else {
  await rm(output, { recursive: true, force: true });
  for (const [path, content] of made) {
    await mkdir(dirname(join(output, path)), { recursive: true });
    await writeFile(join(output, path), content);
  }
}
