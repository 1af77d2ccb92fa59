// Bundles web/static into web/dist, which the executable contains: `node bundle.js`, or `node bundle.js --check` to compare only.
//
// A page loads one script first, `main.js`; the chat and the room have a second one in common. What a page imports by
// `import(…)` is a file of its own. esbuild alone would split the modules of a page by the imports that use them, into dozens
// of files that are all loaded first. Here each module of a first load belongs to one file, and later files import it from there.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../web", import.meta.url));
const source = join(root, "static");
const output = join(root, "dist");
/** Pages of one view, and the file that they have in common. */
const RELATED = { pages: ["chat/main.js", "room/main.js"], file: "chunks/chat.js" };
/** A page whose later files are mostly loaded together, and the file of what several of them use. */
const TOGETHER = { page: "account/main.js", file: "chunks/account-later.js" };

const options = /** @type {const} */ ({
  absWorkingDir: source, outdir: output, outbase: source, write: false, metafile: true, format: "esm", target: "es2022",
  charset: "utf8", minify: true, legalComments: "none", logLevel: "silent",
});

/**
 * @typedef {object} Module
 * @property {Map<string, string[]>} statics the names that it imports, by module
 * @property {string[]} later the modules that it imports by `import(…)`
 * @property {string[]} exports
 */

/** A path below a folder, with `/`. @param {string} folder @param {string} path */
const below = (folder, path) => relative(folder, path).replaceAll("\\", "/");

/** Every file below a folder. @param {string} folder */
async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter(entry => entry.isFile()).map(entry => below(folder, join(entry.parentPath, entry.name))).sort();
}

/** Every module with what it imports and exports. @param {string[]} paths @returns {Promise<Map<string, Module>>} */
async function graph(paths) {
  const { outputFiles, metafile } = await build({ ...options, entryPoints: paths, bundle: false, minifyIdentifiers: false });
  return new Map(outputFiles.map(file => {
    const path = below(output, file.path);
    const resolved = (/** @type {string} */ to) => join(dirname(path), to).replaceAll("\\", "/");
    const statics = new Map();
    for (const [, clause = "{}", to] of file.text.matchAll(/(?:^|[;}])(?:import|export)(?:([^;"'()=]*?)from)?"(\.[^"]+\.js)"/gmu)) {
      if (!/^\{[^{}]*\}$/u.test(clause.trim())) throw new Error(`${path}: import ${to} by names, not ${clause}`);
      const names = clause.replace(/[{}]/gu, "").split(",").map(name => name.trim().split(" as ")[0]).filter(Boolean);
      statics.set(resolved(to), [...statics.get(resolved(to)) ?? [], ...names]);
    }
    const later = [...file.text.matchAll(/\bimport\("(\.[^"]+)"\)/gu)].map(([, to]) => resolved(to));
    return [path, { statics, later, exports: metafile.outputs[below(source, file.path)].exports }];
  }));
}

/** What modules reach, themselves included. @param {string[]} from @param {(path: string) => Iterable<string>} next */
function reach(from, next) {
  const found = new Set(from);
  for (const path of found) for (const target of next(path)) found.add(target);
  return found;
}

/** A page, or pages of one view: which module is in which file, and what the files import from each other. */
class Group {
  /** @param {string[]} pages their entries @param {Map<string, Module>} modules */
  constructor(pages, modules) {
    this.pages = pages;
    this.modules = modules;
    const first = pages.map(page => reach([page], path => this.of(path).statics.keys()));
    const whole = pages.map(page => reach([page], path => [...this.of(path).statics.keys(), ...this.of(path).later]));
    this.all = [...new Set(whole.flatMap(paths => [...paths]))].sort();
    const late = [...new Set(this.all.flatMap(path => this.of(path).later))].map(entry => reach([entry], path => this.of(path).statics.keys()));
    /** The file of each module that is loaded first. Others are left to esbuild. @type {Map<string, string>} */
    this.files = new Map();
    for (const path of this.all) {
      const using = pages.filter((_, at) => whole[at].has(path));
      if (first.some(paths => paths.has(path))) this.files.set(path, using.length === 1 ? using[0] : RELATED.file);
      else if (pages[0] === TOGETHER.page && late.filter(paths => paths.has(path)).length > 1) this.files.set(path, TOGETHER.file);
    }
  }

  /** @param {string} path @returns {Module} */
  of(path) {
    const module = this.modules.get(path);
    if (!module) throw new Error(`${path} is imported and does not exist`);
    return module;
  }

  /** The names of a module that files other than its own import. @param {string} path @param {string} [by] of one file only */
  wanted(path, by) {
    const names = this.all.flatMap(one => {
      const file = this.files.get(one) ?? one;
      if (by !== undefined && file !== by) return [];
      const late = by === undefined && this.of(one).later.includes(path) ? this.of(path).exports : [];
      return [...late, ...(file === this.files.get(path) ? [] : this.of(one).statics.get(path) ?? [])];
    });
    return [...new Set(names)].sort();
  }

  /** A name of a module as its file exports it: with the module's if another module has the same. @param {string} path @param {string} name */
  outer(path, name) {
    const isTaken = this.all.some(other => other !== path && this.files.get(other) === this.files.get(path) && this.wanted(other).includes(name));
    return isTaken ? `${name}_${path.replace(/\W/gu, "_")}` : name;
  }

  /** The content of a file: its page, and what later files import from it. @param {string} file */
  script(file) {
    const lines = this.pages.includes(file) ? [`import "./${file}";`] : [];
    for (const path of this.all.filter(one => this.files.get(one) === file)) {
      const names = this.wanted(path).map(name => `${name} as ${this.outer(path, name)}`);
      if (names.length) lines.push(`export {${names.join(", ")}} from "./${path}";`);
    }
    return lines.join("\n");
  }

  /** @returns {import("esbuild").Plugin} */
  plugin() {
    return {
      name: "files",
      setup: ({ onResolve, onLoad }) => {
        onResolve({ filter: /./ }, ({ path, importer, namespace, resolveDir, kind }) => {
          if (path.startsWith("output:")) return { path, namespace: "output" };
          if (namespace === "other") return { path, external: true };
          if (namespace === "output" || kind === "entry-point") return undefined;
          const target = below(source, join(resolveDir, path));
          const from = below(source, importer);
          const file = this.files.get(target);
          // Every script is in a folder of web/dist.
          if (file && kind === "dynamic-import") return { path: `../${file}`, external: true };
          if (!file || file === this.files.get(from)) return undefined;
          // One for each importing file, or esbuild would make a file of it for all of them.
          return { path: target, suffix: `?${this.files.get(from) ?? from}`, namespace: "other", sideEffects: false };
        });
        onLoad({ filter: /./, namespace: "output" }, ({ path }) => ({ contents: this.script(path.slice("output:".length)), resolveDir: source }));
        onLoad({ filter: /./, namespace: "other" }, ({ path, suffix }) => {
          const names = this.wanted(path, suffix.slice(1)).map(name => `${this.outer(path, name)} as ${name}`);
          return { contents: `export {${names.join(", ")}} from "../${this.files.get(path)}";`, resolveDir: source };
        });
      },
    };
  }

  build() {
    for (const path of new Set(this.all.flatMap(one => this.of(one).later))) {
      const renamed = this.files.has(path) && this.of(path).exports.find(name => this.outer(path, name) !== name);
      if (renamed) throw new Error(`${path} is imported by import(…) and another module has ${renamed}, too: rename it`);
    }
    return build({
      ...options, bundle: true, splitting: true, chunkNames: "chunks/[name]-[hash]", plugins: [this.plugin()],
      entryPoints: [...new Set([...this.pages, ...this.files.values()])].map(file => ({ in: `output:${file}`, out: file.slice(0, -".js".length) })),
      // What a page imports later imports from its entry, and would wait for one that waits.
      supported: { "top-level-await": false },
    });
  }
}

/** @returns {Promise<Map<string, Uint8Array>>} every file of web/dist */
async function bundle() {
  const all = (await files(source)).filter(path => /\.[a-z]+$/u.test(path) && !path.endsWith(".d.ts"));
  const scripts = all.filter(path => path.endsWith(".js"));
  const texts = scripts.filter(path => path.startsWith("i18n/"));
  const modules = await graph(scripts.filter(path => !texts.includes(path)));
  const pages = scripts.filter(path => /^[^/]+\/main\.js$/u.test(path));
  const groups = [RELATED.pages, ...pages.filter(page => !RELATED.pages.includes(page)).map(page => [page])].map(group => new Group(group, modules));
  const used = new Set(groups.flatMap(group => group.all));
  const alone = [...modules.keys()].filter(path => !used.has(path) && !path.startsWith("vendor/") && !path.endsWith("/types.js"));
  const results = await Promise.all([
    ...groups.map(group => group.build()),
    build({ ...options, entryPoints: texts, bundle: true }),
    // Scripts that a shell or the browser loads by itself are no modules.
    build({ ...options, entryPoints: alone, bundle: true, format: "iife" }),
    build({ ...options, entryPoints: all.filter(path => path.endsWith(".css")), bundle: true, external: ["*.svg", "*.png"] }),
  ]);
  const made = new Map(results.flatMap(({ outputFiles }) => outputFiles.map(file => [below(output, file.path), file.contents])));
  for (const path of all.filter(path => !/\.(?:js|css)$/u.test(path))) made.set(path, await readFile(join(source, path)));
  return made;
}

/** The paths that differ from web/dist. @param {Map<string, Uint8Array>} made */
async function differences(made) {
  const old = await files(output);
  const changed = [];
  for (const [path, content] of made) {
    const committed = await readFile(join(output, path)).catch(() => null);
    if (!committed?.equals(content)) changed.push(path);
  }
  return [...changed, ...old.filter(path => !made.has(path))].sort();
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
