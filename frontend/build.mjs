// Bundles what the pages load into dashboard/static/dashboard/built/, with compressed copies beside.
//
// What comes in: src/, and the fonts that reports are set in. What goes out: one file for each entry,
// its .gz and its .br, which the server sends to browsers that take them; fonts/ with their licence. Guaranteed: the same sources give the same bytes; nothing is
// loaded from anywhere but here.

import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const built = join(here, "..", "dashboard", "static", "dashboard", "built");
const source = join(here, "src");
const fonts = join(built, "fonts");
const families = { "noto-sans": "NotoSans", "noto-sans-arabic": "NotoSansArabic" };
const weights = { "400Regular": "Regular", "700Bold": "Bold" };

async function entries() {
  const files = await readdir(source, { withFileTypes: true });
  return files.filter((one) => one.isFile() && one.name.endsWith(".ts")).map((one) => join(source, one.name));
}

async function compress(file) {
  const content = await readFile(file);
  const [zipped, brotli] = await Promise.all([
    promisify(gzip)(content, { level: 9 }),
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  ]);
  await writeFile(`${file}.gz`, zipped);
  await writeFile(`${file}.br`, brotli);
}

async function copyFonts() {
  await mkdir(fonts, { recursive: true });
  for (const [name, family] of Object.entries(families)) {
    const from = join(here, "node_modules", "@expo-google-fonts", name);
    await copyFile(join(from, "LICENSE_FONT"), join(fonts, `${family}-OFL.txt`));
    for (const [weight, short] of Object.entries(weights)) {
      await copyFile(join(from, weight, `${family}_${weight}.ttf`), join(fonts, `${family}-${short}.ttf`));
    }
  }
}

await rm(built, { recursive: true, force: true });
await build({
  entryPoints: await entries(),
  outdir: built,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "eof",
  logLevel: "warning",
});
const made = (await readdir(built)).filter((name) => name.endsWith(".js"));
await Promise.all([copyFonts(), ...made.map((name) => compress(join(built, name)))]);
